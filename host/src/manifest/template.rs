//! `{{ name }}` templates, as Spin writes them in `variables` and `allowed_outbound_hosts`.

use anyhow::{Context, Result, ensure};

/// Replaces each `{{ name }}` in `template` by what `lookup` answers.
///
/// # Errors
///
/// When a `{{` is not closed, when a name is not one, or when `lookup` fails.
pub(crate) fn expand(template: &str, lookup: impl Fn(&str) -> Result<String>) -> Result<String> {
    let mut expanded = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((literal, opened)) = rest.split_once("{{") {
        let (name, after) = opened
            .split_once("}}")
            .with_context(|| format!("template {template:?} has a {{{{ that is not closed"))?;
        let name = name.trim();
        check_name(name).with_context(|| format!("in the template {template:?}"))?;
        expanded.push_str(literal);
        expanded.push_str(&lookup(name)?);
        rest = after;
    }
    expanded.push_str(rest);
    Ok(expanded)
}

/// Checks that `name` is a variable's: lowercase letters, digits and single underscores, a letter first.
///
/// # Errors
///
/// When it is not.
pub(crate) fn check_name(name: &str) -> Result<()> {
    let well_formed = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !name.contains("__")
        && !name.ends_with('_');
    ensure!(
        well_formed,
        "{name:?} is not a variable name: lowercase letters, digits and single underscores, a letter first"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(template: &str, expected: &str) {
        let expanded = expand(template, |name| Ok(format!("<{name}>"))).unwrap();
        assert_eq!(expanded, expected);
    }

    #[test]
    fn names_are_replaced_wherever_they_stand() {
        check("plain", "plain");
        check("{{ host }}", "<host>");
        check("http://{{host}}:{{ port }}/", "http://<host>:<port>/");
    }

    #[test]
    fn an_unclosed_template_is_an_error() {
        assert!(expand("http://{{ host", |_| Ok(String::new())).is_err());
    }

    #[test]
    fn names_follow_spins_rule() {
        for name in ["", "A", "1a", "a__b", "a_", "a-b", "{"] {
            assert!(check_name(name).is_err(), "{name:?}");
        }
        for name in ["a", "a1", "a_b"] {
            assert!(check_name(name).is_ok(), "{name:?}");
        }
    }
}
