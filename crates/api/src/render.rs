//! From an answer or an error to the bytes that clients read.

use serde_json::{Map, Value, json};

use crate::{Action, ApiError};

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JSON.
    Json,
    /// XML.
    Xml,
}

impl Format {
    /// The media type. Clients read an XML error only under exactly this spelling.
    fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json;charset=utf-8",
            Self::Xml => "text/xml;charset=utf-8",
        }
    }
}

/// An answer as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// The media type.
    pub content_type: &'static str,
    /// The body, never empty.
    pub body: String,
}

/// Writes the answer of an action: the request's id, and the fields of what is answered, if any.
#[must_use]
pub fn success(format: Format, action: &Action, request_id: &str, answer: Map<String, Value>) -> Response {
    let mut fields = Map::new();
    fields.insert("RequestId".into(), request_id.into());
    fields.extend(answer);
    write(format, 200, &format!("{}Response", action.name), &Value::Object(fields))
}

/// Writes an error. A top-level `Code` is what makes it one for some clients.
#[must_use]
pub fn error(format: Format, host: &str, request_id: &str, error: &ApiError) -> Response {
    let fields = json!({
        "RequestId": request_id,
        "HostId": host.chars().take(255).collect::<String>(),
        "Code": error.code,
        "Message": error.message,
    });
    write(format, error.status, "Error", &fields)
}

fn write(format: Format, status: u16, root: &str, fields: &Value) -> Response {
    let body = match format {
        Format::Json => fields.to_string(),
        Format::Xml => {
            let mut xml = String::from("<?xml version='1.0' encoding='UTF-8'?>");
            element(root, fields, &mut xml);
            xml
        }
    };
    Response { status, content_type: format.content_type(), body }
}

/// Writes an element; a list is its element once an item.
fn element(name: &str, value: &Value, xml: &mut String) {
    if let Value::Array(items) = value {
        return items.iter().for_each(|item| element(name, item, xml));
    }
    xml.extend(["<", name, ">"]);
    match value {
        Value::Null | Value::Array(_) => {}
        Value::Bool(value) => xml.push_str(&value.to_string()),
        Value::Number(value) => xml.push_str(&value.to_string()),
        Value::String(text) => escape(text, xml),
        Value::Object(fields) => fields.iter().for_each(|(name, value)| element(name, value, xml)),
    }
    xml.extend(["</", name, ">"]);
}

/// Escapes text; a character that XML 1.0 §2.2 does not allow becomes U+FFFD.
fn escape(text: &str, xml: &mut String) {
    for c in text.chars() {
        match c {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            '\r' => xml.push_str("&#13;"),
            '\t' | '\n' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'.. => xml.push(c),
            _ => xml.push('\u{FFFD}'),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_repeat_their_element() {
        let mut xml = String::new();
        let value =
            json!({"List": {"Item": [{"A": 1}, {"A": true}]}, "None": {"Item": []}, "Plain": ["x", 2.5]});
        element("R", &value, &mut xml);
        assert_eq!(
            xml,
            "<R><List><Item><A>1</A></Item><Item><A>true</A></Item></List><None></None>\
             <Plain>x</Plain><Plain>2.5</Plain></R>"
        );
    }

    #[test]
    fn text_cannot_become_markup() {
        let mut xml = String::new();
        escape("a<b>&\"c'\u{1}\u{FFFF}\r\n直", &mut xml);
        // A reader would take a carriage return for a line end (XML 1.0 §2.11).
        assert_eq!(xml, "a&lt;b&gt;&amp;&quot;c'\u{FFFD}\u{FFFD}&#13;\n直");
    }

    #[test]
    fn an_error_is_what_clients_parse() {
        let fault = ApiError { status: 400, code: "A.B".into(), message: "m".into(), cause: None };
        let xml = error(Format::Xml, "h:1", "ID", &fault);
        assert_eq!(xml.content_type, "text/xml;charset=utf-8");
        assert_eq!(
            xml.body,
            "<?xml version='1.0' encoding='UTF-8'?><Error><RequestId>ID</RequestId><HostId>h:1</HostId>\
             <Code>A.B</Code><Message>m</Message></Error>"
        );
        let json = error(Format::Json, "h:1", "ID", &fault);
        assert_eq!(json.status, 400);
        assert_eq!(json.body, r#"{"RequestId":"ID","HostId":"h:1","Code":"A.B","Message":"m"}"#);
    }
}
