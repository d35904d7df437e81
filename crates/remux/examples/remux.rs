//! Remuxes FLV chunks of one session into one transport stream: `remux CHUNK.flv… >OUT.ts`.

use std::io::Write;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut state = Vec::new();
    let mut block = Vec::with_capacity(188 * 1024);
    for path in std::env::args_os().skip(1) {
        let chunk = std::fs::read(path)?;
        let policy = recorder_remux::Policy { max_bytes: u64::MAX, ..Default::default() };
        let (slice, mut muxer) = recorder_remux::remux(&chunk, &state, &policy)?;
        loop {
            block.clear();
            muxer.write(&mut block);
            if block.is_empty() {
                break;
            }
            std::io::stdout().write_all(&block)?;
        }
        writeln!(std::io::stderr(), "{slice:?}")?;
        state = slice.state;
    }
    Ok(())
}
