//! OpenAPI for programs.

use serde_json::{Map, Value, json};

use super::errors::{COMMON, errors};
use super::prose::{list_name, words};
use crate::{
    ACTIONS, Access, Action, ApiError, Field, Kind, Outside, Parameter, Presence, Shape, Text, VERSION,
};

/// The API as an OpenAPI 3.1 document.
///
/// All actions share one path and are told apart by a parameter, which OpenAPI has no word for: each has a path
/// of its own here, `/?Action=…`. With signature version 3 the action is in the header instead.
#[must_use]
pub fn openapi() -> Value {
    let mut common = refused();
    for fault in COMMON {
        add_code(&mut common, (*fault).into());
    }
    let paths: Map<String, Value> = ACTIONS
        .iter()
        .map(|action| {
            (format!("/?Action={}&Version={VERSION}", action.name), json!({"post": operation(action)}))
        })
        .collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "live-recorder recording API",
            "version": VERSION,
            "description": "Compatible with the recording actions of Alibaba Cloud Live. Parameters may be in the \
                            query or in a form body; GET is answered like POST.",
        },
        "servers": [{"url": "http://127.0.0.1:3000"}],
        "security": [{"v3": []}, {"v1": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "v3": {"type": "apiKey", "in": "header", "name": "Authorization",
                       "description": "ACS3-HMAC-SHA256, with the headers x-acs-*"},
                "v1": {"type": "apiKey", "in": "query", "name": "Signature",
                       "description": "HMAC-SHA1 over all parameters"},
            },
            "responses": {"Refused": common},
            "schemas": {
                "Error": {
                    "type": "object",
                    "required": ["RequestId", "HostId", "Code", "Message"],
                    "properties": {
                        "RequestId": {"type": "string"},
                        "HostId": {"type": "string"},
                        "Code": {"type": "string"},
                        "Message": {"type": "string"},
                    },
                },
            },
        },
    })
}

fn operation(action: &Action) -> Value {
    let mut parameters = Vec::new();
    for parameter in action.parameters {
        describe(parameter, "", true, &mut parameters);
    }
    let mut properties = Map::new();
    properties.insert("RequestId".into(), json!({"type": "string", "description": "Names this request."}));
    properties.extend(action.answer.iter().map(property));
    let mut responses = Map::new();
    responses.insert(
        "200".into(),
        json!({
            "description": "Done.",
            "content": {"application/json": {"schema": {"type": "object", "properties": properties}}},
        }),
    );
    for error in errors(action) {
        let response = responses.entry(error.status.to_string()).or_insert_with(refused);
        add_code(response, error);
    }
    responses.insert("default".into(), json!({"$ref": "#/components/responses/Refused"}));
    json!({
        "operationId": action.name,
        "summary": action.summary,
        "x-access": if action.access == Access::Write { "write" } else { "read" },
        "parameters": parameters,
        "responses": responses,
    })
}

fn refused() -> Value {
    json!({
        "description": "",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
        "x-codes": [],
    })
}

fn add_code(response: &mut Value, error: ApiError) {
    if let Some(codes) = response["x-codes"].as_array_mut() {
        codes.push(json!({"HttpStatus": error.status, "Code": error.code, "Message": error.message}));
        let names: Vec<_> = codes.iter().filter_map(|code| code["Code"].as_str()).collect();
        response["description"] = format!("Refused; Code is one of {}.", names.join(", ")).into();
    }
}

/// A parameter; of a list, its first item, whose name says where the number goes.
fn describe(parameter: &Parameter, prefix: &str, required: bool, parameters: &mut Vec<Value>) {
    let name = list_name(prefix, parameter, "1");
    let required = required && parameter.presence == Presence::Required;
    if let Kind::Objects { fields, .. } = parameter.kind {
        for field in fields {
            describe(field, &format!("{name}."), false, parameters);
        }
        return;
    }
    let (kind, max_items) = match parameter.kind {
        Kind::List { item, max } => (Kind::Text(item), Some(max)),
        kind => (kind, None),
    };
    let mut schema = schema(&kind);
    if let Presence::Default(value) = parameter.presence {
        schema["default"] = match schema["type"].as_str() {
            Some("integer" | "boolean") => serde_json::from_str(value).unwrap_or_default(),
            _ => value.into(),
        };
    }
    let mut described = json!({
        "name": name,
        "in": "query",
        "required": required,
        "description": parameter.summary,
        "schema": schema,
    });
    if let Some(max_items) = max_items {
        described["x-max-items"] = max_items.into();
    }
    parameters.push(described);
}

fn schema(kind: &Kind) -> Value {
    match *kind {
        Kind::Integer { min, max, outside: Outside::Refused } => {
            json!({"type": "integer", "minimum": min, "maximum": max})
        }
        // Outside the range is no error.
        Kind::Integer { .. } => json!({"type": "integer", "description": words(kind)}),
        Kind::OneOf(numbers) => json!({"type": "integer", "enum": numbers}),
        Kind::Boolean => json!({"type": "boolean"}),
        Kind::Time => json!({"type": "string", "format": "date-time", "description": words(kind)}),
        Kind::Choice(words) => json!({"type": "string", "enum": words}),
        Kind::Text(Text::Url) => json!({"type": "string", "format": "uri"}),
        Kind::Text(Text::Alphanumeric(min, max)) => {
            json!({"type": "string", "minLength": min, "maxLength": max, "pattern": "^[A-Za-z0-9]*$"})
        }
        _ => json!({"type": "string", "description": words(kind)}),
    }
}

fn property(field: &Field) -> (String, Value) {
    let mut schema = shape(&field.shape);
    schema["description"] = field.summary.into();
    (field.name.into(), schema)
}

fn shape(shape: &Shape) -> Value {
    match *shape {
        Shape::Text => json!({"type": "string"}),
        Shape::Time => json!({"type": "string", "format": "date-time"}),
        Shape::Integer => json!({"type": "integer"}),
        Shape::Number => json!({"type": "number"}),
        Shape::Boolean => json!({"type": "boolean"}),
        Shape::Object(fields) => {
            let properties: Map<String, Value> = fields.iter().map(property).collect();
            json!({"type": "object", "properties": properties})
        }
        Shape::List(item) => json!({"type": "array", "items": self::shape(item)}),
    }
}
