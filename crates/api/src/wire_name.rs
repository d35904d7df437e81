//! Names on the wire, from the names of fields: `domain_name` is `DomainName`. Made while compiling.

/// The name on the wire of a field.
macro_rules! of {
    ($field:ident) => {{
        const FIELD: &str = stringify!($field);
        const BYTES: [u8; $crate::wire_name::length(FIELD)] = $crate::wire_name::pascal_case(FIELD);
        const NAME: &str = match std::str::from_utf8(&BYTES) {
            Ok(name) => name,
            Err(_) => panic!("the name of a field is ASCII"),
        };
        NAME
    }};
}
pub(crate) use of;

/// Where a field's name begins: after the `r#` of one that is a word of Rust.
const fn start(field: &[u8]) -> usize {
    if field.len() > 2 && field[1] == b'#' { 2 } else { 0 }
}

/// How long the name on the wire is.
pub(crate) const fn length(field: &str) -> usize {
    let field = field.as_bytes();
    let (mut length, mut at) = (0, start(field));
    while at < field.len() {
        if field[at] != b'_' {
            length += 1;
        }
        at += 1;
    }
    length
}

/// The name on the wire.
pub(crate) const fn pascal_case<const LENGTH: usize>(field: &str) -> [u8; LENGTH] {
    let field = field.as_bytes();
    let mut name = [0; LENGTH];
    let (mut length, mut at, mut upper) = (0, start(field), true);
    while at < field.len() {
        if field[at] == b'_' {
            upper = true;
        } else {
            name[length] = if upper { field[at].to_ascii_uppercase() } else { field[at] };
            length += 1;
            upper = false;
        }
        at += 1;
    }
    name
}

/// Whether two names are the same.
pub(crate) const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut at = 0;
    while at < a.len() && at < b.len() && a[at] == b[at] {
        at += 1;
    }
    at == a.len() && at == b.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_of_fields() {
        assert_eq!(of!(domain_name), "DomainName");
        assert_eq!(of!(r#type), "Type");
        assert_eq!(of!(oss_object), "OssObject");
        assert!(same("Type", "Type") && !same("Type", "Types") && !same("Types", "Type") && !same("", "T"));
    }
}
