// Plays every recording of /playlists, all at once, and posts what happened to /report: a playlist with hls.js, an FLV
// file with mpegts.js, an MP4 file as the browser does by itself, from the bucket server that /bucket names.

// How much faster than the show.
const RATE = 4;

// How long a player may stand still, in milliseconds, before it counts as stuck.
const PATIENCE_MS = 15_000;

// Attaches the player that a recording needs; answers what ends it.
function open(playlist, bucket, video, { ready, failed }) {
  const path = `/recordings/${playlist.split("/").map(encodeURIComponent).join("/")}`;
  if (playlist.endsWith(".mp4")) {
    video.addEventListener("loadedmetadata", ready);
    video.addEventListener("error", () => failed(`fatal ${video.error.code} ${video.error.message}`, true));
    video.src = bucket + path;
    return () => video.removeAttribute("src");
  }
  if (playlist.endsWith(".flv")) {
    const player = mpegts.createPlayer({ type: "flv", url: path }, { lazyLoad: false });
    player.on(mpegts.Events.ERROR, (type, detail, { msg }) => failed(`fatal ${type} ${detail} ${msg}`, true));
    video.addEventListener("loadedmetadata", ready);
    player.attachMediaElement(video);
    player.load();
    return () => player.destroy();
  }
  const hls = new Hls({ maxBufferLength: 120 });
  hls.on(Hls.Events.ERROR, (_, { type, details, fatal, reason }) => {
    failed(`${fatal ? "fatal " : ""}${type} ${details} ${reason ?? ""}`, fatal);
  });
  hls.on(Hls.Events.MANIFEST_PARSED, ready);
  hls.loadSource(path);
  hls.attachMedia(video);
  return () => hls.destroy();
}

function play(playlist, bucket) {
  return new Promise((resolve) => {
    const video = document.createElement("video");
    video.muted = true;
    document.body.append(video);
    const report = { playlist, errors: [], seeks: 0, ended: false };
    let lastPosition = -1;
    let lastMove = performance.now();

    const finish = () => {
      clearInterval(watching);
      const played = [];
      for (let at = 0; at < video.played.length; at++) {
        played.push([video.played.start(at), video.played.end(at)]);
      }
      const quality = video.getVideoPlaybackQuality();
      Object.assign(report, {
        position: video.currentTime,
        duration: Number.isFinite(video.duration) ? video.duration : 0,
        played,
        frames: quality.totalVideoFrames,
        corrupted: quality.corruptedVideoFrames,
        audio_bytes: video.webkitAudioDecodedByteCount,
      });
      close();
      video.remove();
      resolve(report);
    };
    const watching = setInterval(() => {
      const now = performance.now();
      if (video.currentTime !== lastPosition) {
        lastPosition = video.currentTime;
        lastMove = now;
      } else if (now - lastMove > PATIENCE_MS) {
        finish();
      }
    }, 100);

    video.addEventListener("seeking", () => report.seeks++);
    video.addEventListener("ended", () => {
      report.ended = true;
      finish();
    });
    const ready = () => {
      video.playbackRate = RATE;
      video.play().catch((error) => report.errors.push(`play: ${error}`));
    };
    const failed = (error, isFatal) => {
      report.errors.push(error);
      if (isFatal) finish();
    };
    const close = open(playlist, bucket, video, { ready, failed });
  });
}

window.addEventListener("load", async () => {
  const playlists = await (await fetch("/playlists")).json();
  const bucket = await (await fetch("/bucket")).text();
  const reports = await Promise.all(playlists.map((playlist) => play(playlist, bucket)));
  await fetch("/report", { method: "POST", body: JSON.stringify(reports) });
});
