//! Commands: a name, a transaction, and values (RTMP 1.0 §7.2).

use amf0::Value;

use crate::{
    Message, Skipped,
    chunk::ChunkWriter,
    message::{COMMAND_AMF0, COMMAND_AMF3},
};

/// Longest command that is read; a connect with every property of E-RTMP v2 takes about 1 KiB.
pub const MAX_COMMAND_BYTES: usize = 64 << 10;

/// Chunk stream of commands.
const COMMANDS: u8 = 3;

#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) name: String,
    /// 0: no answer is expected.
    pub(crate) transaction: f64,
    /// The command object and what follows it.
    pub(crate) values: Vec<Value>,
}

impl Command {
    /// Reads a command. Only its name is needed: what cannot be read after it is left out.
    pub(crate) fn decode(message: &Message<'_>) -> Result<Self, Skipped> {
        let mut bytes = message.payload;
        if bytes.len() > MAX_COMMAND_BYTES {
            return Err(Skipped::CommandTooLong { bytes: bytes.len(), limit: MAX_COMMAND_BYTES });
        }
        if message.type_id == COMMAND_AMF3 {
            // Encoders that announce AMF3 send a zero and go on in AMF0.
            bytes = bytes.strip_prefix(&[0]).unwrap_or(bytes);
        }
        let name = Value::decode(&mut bytes).map_err(Skipped::Command)?;
        let name = name.as_str().ok_or(Skipped::CommandName)?.to_owned();
        // Encoders end commands with odd values that nothing here needs: what cannot be read ends the list.
        let mut values = std::iter::from_fn(|| Value::decode(&mut bytes).ok());
        let transaction = values.next().and_then(|value| value.as_number()).unwrap_or(0.0);
        Ok(Self { name, transaction, values: values.collect() })
    }

    /// The string in that place, the command object being at 0.
    pub(crate) fn string(&self, at: usize) -> Option<&str> {
        self.values.get(at)?.as_str()
    }

    /// A property of the command object.
    pub(crate) fn property(&self, name: &str) -> Option<&Value> {
        self.values.first()?.get(name)
    }
}

/// Appends a command on a message stream.
pub(crate) fn write(
    chunks: &ChunkWriter,
    out: &mut Vec<u8>,
    stream_id: u32,
    name: &str,
    transaction: f64,
    values: &[Value],
) {
    let mut payload = Vec::with_capacity(256);
    string(name).encode(&mut payload);
    Value::Number(transaction).encode(&mut payload);
    values.iter().for_each(|value| value.encode(&mut payload));
    let payload = payload.as_slice();
    chunks.write(out, COMMANDS, &Message { type_id: COMMAND_AMF0, stream_id, timestamp_ms: 0, payload });
}

pub(crate) fn string(text: &str) -> Value {
    Value::String(text.to_owned())
}

pub(crate) fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}
