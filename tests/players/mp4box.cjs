// Reads MP4 files as GPAC's MP4Box does, and prints a line of JSON for each: what it takes amiss, whether the file plays
// while it still comes, and the samples of each track. `cargo xtask test` runs it.
const fs = require("node:fs");
const { createFile, Log } = require("mp4box");

// How much of a file is handed over at a time, in bytes.
const PIECE = 1 << 16;

function read(path) {
  const found = { errors: [], tracks: [] };
  Log.setLogLevel(Log.LOG_LEVEL_WARNING);
  const file = createFile();
  file.onError = (module, message) => found.errors.push(`${module}: ${message}`);
  // What stands before the media is enough for a player to begin.
  file.onReady = (info) => Object.assign(found, { progressive: info.isProgressive, ready_at: begun });
  const bytes = fs.readFileSync(path);
  let begun = 0;
  for (; begun < bytes.length; begun += PIECE) {
    const piece = new Uint8Array(bytes.subarray(begun, begun + PIECE)).buffer;
    piece.fileStart = begun;
    file.appendBuffer(piece, begun + PIECE >= bytes.length);
  }
  file.flush();
  for (const { id, codec } of file.getInfo().tracks) {
    const samples = file.getTrackSamplesInfo(id);
    const ordered = samples.every(({ dts, cts }, at) => cts >= dts && (at === 0 || dts > samples[at - 1].dts));
    const within = samples.every(({ offset, size }) => size > 0 && offset + size <= bytes.length);
    found.tracks.push({ codec, samples: samples.length, ordered, within });
  }
  return found;
}

for (const path of process.argv.slice(2)) console.log(JSON.stringify(read(path)));
