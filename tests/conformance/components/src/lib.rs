//! Guests for the conformance tests of the host; each example of this package is one component.
//!
//! `probe` asks the host for the thing that the request's path names: it answers 200 with what it got, or 500 with
//! what went wrong.
//! `relay` asks through its dependencies: `transform` has no capability, `sink` has what the test grants, `counter`
//! has atomic increments.
