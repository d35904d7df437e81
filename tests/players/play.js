// Plays every playlist of /playlists with hls.js, all at once, and posts what happened to /report.

// How much faster than the show.
const RATE = 4;

// How long a player may stand still, in milliseconds, before it counts as stuck.
const PATIENCE_MS = 15_000;

function play(playlist) {
  return new Promise((resolve) => {
    const video = document.createElement("video");
    video.muted = true;
    document.body.append(video);
    const hls = new Hls({ maxBufferLength: 120 });
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
      hls.destroy();
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

    hls.on(Hls.Events.ERROR, (_, { type, details, fatal, reason }) => {
      report.errors.push(`${fatal ? "fatal " : ""}${type} ${details} ${reason ?? ""}`);
      if (fatal) finish();
    });
    hls.on(Hls.Events.MANIFEST_PARSED, () => {
      video.playbackRate = RATE;
      video.play().catch((error) => report.errors.push(`play: ${error}`));
    });
    video.addEventListener("seeking", () => report.seeks++);
    video.addEventListener("ended", () => {
      report.ended = true;
      finish();
    });
    hls.loadSource(`/recordings/${playlist.split("/").map(encodeURIComponent).join("/")}`);
    hls.attachMedia(video);
  });
}

window.addEventListener("load", async () => {
  const playlists = await (await fetch("/playlists")).json();
  const reports = await Promise.all(playlists.map(play));
  await fetch("/report", { method: "POST", body: JSON.stringify(reports) });
});
