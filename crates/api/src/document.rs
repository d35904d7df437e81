//! Documents generated from the table.
