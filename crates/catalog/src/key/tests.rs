//! Whose keys they are: no two things share one.

use std::collections::BTreeSet;

use super::*;

const CONTAINERS: [Container; 3] = [Container::M3u8, Container::Mp4, Container::Flv];

/// Every key that is made of one of these names, or of one and a number.
fn of(name: &str) -> Vec<String> {
    let mut keys = vec![
        heard(name),
        live_of_gateway(name),
        heartbeats(name),
        changes(name),
        look(name),
        break_look(name),
        busy(name),
        claim(name),
        sealed(name),
        live_of_stream(name),
        live_of_domain(name),
        last_ended(name),
        known(name),
        flag(name),
        session(name),
        adopted(name),
        continued(name),
        head(name),
        end(name),
        given_up(name),
        silence(name),
        orders(name),
        denied(name),
        gathered(name),
        domain(name),
        told(name),
    ];
    for other in ["a", "b"] {
        keys.extend([gateway(name, &format!("{other}.1")), replacing(name, other), uncopied(name, other)]);
    }
    for number in 0..2 {
        keys.extend([
            chunk(name, number.into()),
            round(name, number.into()),
            confirmed(name, number),
            slice_names(name, number.into()),
            callbacks(name, number.into()),
            event(name, "status", number),
            event(name, "slice", number),
            event_done(name, "status", number),
            event_done(name, "slice", number),
        ]);
    }
    for container in CONTAINERS {
        keys.extend([next_file(name, container), upload(name, container)]);
        keys.extend([file_names(name, container, 0), file_names(name, container, 1)]);
    }
    keys
}

#[test]
fn no_two_things_share_a_key_and_every_backend_takes_each() {
    let names = ["20260101-0123456789abcdef0123456789abcdef", "20260101-0123456789abcdef0123456789abcde0"];
    let keys: Vec<String> = names.into_iter().flat_map(of).collect();
    let mut seen = BTreeSet::new();
    for key in &keys {
        assert!(seen.insert(key), "{key} twice");
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
        assert!(key.bytes().all(is_plain) && !key.is_empty() && key.len() < 128, "{key}");
    }
}

#[test]
fn a_gateway_has_other_keys_on_another_spool_and_the_same_ones_when_it_starts_anew() {
    assert_eq!(gateway("g", "spool.1"), gateway("g", "spool.2"));
    assert_ne!(gateway("g", "spool.1"), gateway("g", "other.1"));
}

#[test]
fn a_container_is_known_by_its_word_alone() {
    for of in CONTAINERS {
        assert_eq!(container(word(of)), Some(of));
    }
    assert_eq!(container("status"), None);
}
