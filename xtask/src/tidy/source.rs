//! Reading Rust sources as far as house rules need it: tokens, and the paths that they name.

/// A source without its comments, its literals and its inline tests, which stand last in a file.
pub(super) fn tokens(text: &str) -> Vec<&str> {
    let text = text.find("#[cfg(test)]\nmod tests {").map_or(text, |at| &text[..at]);
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |at| at + 2)
        } else if first == '"' {
            1 + string_end(&rest[1..])
        } else if let Some(end) = raw_string_end(rest) {
            end
        } else if let Some(end) = char_end(rest) {
            end
        } else if is_word(first) {
            let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            tokens.push(&rest[..end]);
            end
        } else if rest.starts_with("::") {
            tokens.push(&rest[..2]);
            2
        } else {
            if !first.is_whitespace() {
                tokens.push(&rest[..first.len_utf8()]);
            }
            first.len_utf8()
        };
        rest = &rest[end..];
    }
    tokens
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// Bytes of a string literal after its opening quote.
fn string_end(rest: &str) -> usize {
    let mut is_escaped = false;
    for (at, c) in rest.char_indices() {
        match c {
            '"' if !is_escaped => return at + 1,
            '\\' => is_escaped = !is_escaped,
            _ => is_escaped = false,
        }
    }
    rest.len()
}

/// Bytes of a raw string literal, where one begins.
fn raw_string_end(rest: &str) -> Option<usize> {
    let body = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r'))?;
    let hashes = body.len() - body.trim_start_matches('#').len();
    if !body[hashes..].starts_with('"') {
        return None;
    }
    let close = format!("\"{}", "#".repeat(hashes));
    let begin = rest.len() - body.len() + hashes + 1;
    Some(rest[begin..].find(&close).map_or(rest.len(), |at| begin + at + close.len()))
}

/// Bytes of a character literal, where one begins; a lifetime is none.
fn char_end(rest: &str) -> Option<usize> {
    let body = rest.strip_prefix('\'')?;
    if body.starts_with('\\') {
        return body[2..].find('\'').map(|at| at + 4);
    }
    let c = body.chars().next()?;
    body[c.len_utf8()..].starts_with('\'').then(|| c.len_utf8() + 2)
}

/// Every path that a source names, the trees of `use` declarations spread out.
pub(super) fn paths(tokens: &[&str]) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if starts_path(tokens, at) {
            tree(tokens, &mut at, &[], &mut paths);
        } else {
            at += 1;
        }
    }
    paths
}

fn starts_path(tokens: &[&str], at: usize) -> bool {
    let is_name = tokens[at].starts_with(is_word);
    is_name
        && tokens.get(at + 1) == Some(&"::")
        && at.checked_sub(1).is_none_or(|before| tokens[before] != "::")
}

/// Reads `a::b::{c, d::e}` from `at` on.
fn tree(tokens: &[&str], at: &mut usize, prefix: &[String], paths: &mut Vec<Vec<String>>) {
    let mut path = prefix.to_vec();
    while let Some(token) = tokens.get(*at) {
        if *token == "{" {
            *at += 1;
            while !matches!(tokens.get(*at), None | Some(&"}")) {
                let before = *at;
                tree(tokens, at, &path, paths);
                // A separator, or something that is no tree.
                if *at == before || tokens.get(*at) == Some(&",") {
                    *at += 1;
                }
            }
            *at += 1;
            return;
        }
        if !token.starts_with(is_word) {
            break;
        }
        path.push((*token).to_owned());
        *at += 1;
        if tokens.get(*at) != Some(&"::") {
            break;
        }
        *at += 1;
    }
    if path.len() > prefix.len() {
        paths.push(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_no_tokens() {
        let text = "a/*b*/ // c::d\n\"e::\\\"f\" r#\"g\"::h\"# 'i' '\\'' &'j k::l";
        assert_eq!(tokens(text), ["a", "&", "'", "j", "k", "::", "l"]);
    }

    #[test]
    fn trees_are_spread_out() {
        let tokens = tokens("use crate::{a::{B, c::D}, e}; fn f() { super::g(h::I { j: 1 }); }");
        let paths: Vec<_> = paths(&tokens).iter().map(|path| path.join("::")).collect();
        assert_eq!(paths, ["crate::a::B", "crate::a::c::D", "crate::e", "super::g", "h::I"]);
    }
}
