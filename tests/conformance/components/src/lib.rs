//! Guests for the conformance tests of the host; each example of this package is one component.
//!
//! `probe` asks the host itself, by path: 200 with what it got, 500 with what went wrong.
//! `relay` asks through its dependencies `transform` (no capability), `sink` (whatever it is granted) and
//! `counter` (atomic increments).
