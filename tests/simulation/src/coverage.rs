//! How often each event, fault, race and state was reached.

use std::collections::BTreeMap;
use std::fmt;

/// What a set of histories with model gateways has to reach.
pub const WANTED: &[&str] = &[
    "answer lost: chunk",
    "answer lost: end",
    "answer lost: heartbeat",
    "call delayed: begin",
    "call delayed: chunk",
    "call delayed: composition",
    "call delayed: delivery",
    "call delayed: end",
    "call delayed: heartbeat",
    "call delayed: tick",
    "call doubled: begin",
    "call doubled: chunk",
    "call doubled: command",
    "call doubled: composition",
    "call doubled: delivery",
    "call doubled: end",
    "call doubled: heartbeat",
    "call doubled: tick",
    "call ended by its host: delivery",
    "call ended by its host: tick",
    "call stalled: begin",
    "call stalled: chunk",
    "call stalled: command",
    "call stalled: composition",
    "call stalled: delivery",
    "call stalled: end",
    "call stalled: heartbeat",
    "call stalled: tick",
    "command Command::CancelDelay failed",
    "command Command::CancelDelay refused",
    "command Command::CancelDelay taken",
    "command Command::CancelDelay while not begun",
    "command Command::CancelDelay while not pushed",
    "command Command::CancelDelay while not recorded any more",
    "command Command::CancelDelay while not recorded yet",
    "command Command::CancelDelay while pushed twice",
    "command Command::CancelDelay while recorded",
    "command Command::Restart failed",
    "command Command::Restart refused",
    "command Command::Restart taken",
    "command Command::Restart while not begun",
    "command Command::Restart while not pushed",
    "command Command::Restart while not recorded any more",
    "command Command::Restart while not recorded yet",
    "command Command::Restart while pushed twice",
    "command Command::Restart while recorded",
    "command Command::Start failed",
    "command Command::Start refused",
    "command Command::Start taken",
    "command Command::Start while not begun",
    "command Command::Start while not pushed",
    "command Command::Start while not recorded any more",
    "command Command::Start while not recorded yet",
    "command Command::Start while pushed twice",
    "command Command::Start while recorded",
    "command Command::Stop failed",
    "command Command::Stop refused",
    "command Command::Stop taken",
    "command Command::Stop while not begun",
    "command Command::Stop while not pushed",
    "command Command::Stop while not recorded any more",
    "command Command::Stop while not recorded yet",
    "command Command::Stop while pushed twice",
    "command Command::Stop while recorded",
    "decided: break closed",
    "decided: break continued",
    "decided: end told",
    "decided: first chunk not parted",
    "decided: first chunk parted",
    "decided: order given",
    "decided: silence closed",
    "decided: silence open",
    "died: begin",
    "died: chunk",
    "died: command",
    "died: composition",
    "died: delivery",
    "died: end",
    "died: heartbeat",
    "died: tick",
    "event: bucket hangs",
    "event: bucket refuses",
    "event: clock of a host stepped",
    "event: functions down",
    "event: gateway came back",
    "event: gateway cut off",
    "event: gateway lost its spool",
    "event: gateway restarted",
    "event: gateway restarted, and its spool lost a push",
    "event: nobody calls the lane composition",
    "event: nobody calls the lane delivery",
    "event: nobody calls the lane tick",
    "event: push began",
    "event: push ended",
    "event: receiver hangs",
    "event: receiver refuses",
    "event: rule changed",
    "event: second gateway begins beside the first",
    "event: second publisher takes over on one gateway",
    "event: store copies",
    "event: store fails to copy",
    "event: store refuses to copy",
    "event: store says that it copies, and does not",
    "fault: death after an operation",
    "fault: death before an operation",
    "fault: refusal of an operation",
    "fault: reply lost of an operation",
    "file ends: a track has another codec",
    "file ends: an order closed the file before",
    "file ends: an order parts them",
    "file ends: the break is longer than DelayTime",
    "file ends: the cycle is full",
    "file ends: the later push is not recorded from its begin",
    "file ends: the next chunk has other tracks",
    "file ends: the next push has other tracks",
    "file ends: the rule has changed",
    "file goes on over a break",
    "file goes on over a full cycle, up to a keyframe",
    "file goes on over the next chunk",
    "judged: a restart after a stop that was accepted",
    "judged: a restart that was accepted",
    "judged: a start that was accepted",
    "judged: a stop that was accepted",
    "race: begin with heartbeat",
    "race: chunk with chunk",
    "race: chunk with command",
    "race: chunk with end",
    "race: chunk with heartbeat",
    "race: chunk with tick",
    "race: command with command",
    "race: composition with composition",
    "race: delivery with delivery",
    "race: end with command",
    "race: end with end",
    "race: end with heartbeat",
    "race: end with tick",
    "race: heartbeat with command",
    "race: heartbeat with heartbeat",
    "race: heartbeat with tick",
    "race: tick with command",
    "race: tick with composition",
    "race: tick with delivery",
    "race: tick with tick",
    "record file: .flv",
    "record file: .m3u8",
    "record file: .mp4",
    "recorded: NAL units behind start codes",
    "recorded: a chunk that is cut between keyframes",
    "recorded: a publisher's clock that passes 2^24 ms",
    "recorded: a publisher's clock that passes 26.5 h",
    "recorded: a publisher's clock that passes 2^31 ms",
    "recorded: a publisher's clock that passes 2^32 ms",
    "recorded: a publisher's clock that steps 7 s ahead at a keyframe",
    "recorded: a publisher's clock that steps 7 s ahead between keyframes",
    "recorded: a publisher's clock that steps an hour ahead at a keyframe",
    "recorded: a publisher's clock that steps an hour ahead between keyframes",
    "recorded: a publisher's clock that steps back by 40 s at a keyframe",
    "recorded: a publisher's clock that steps back by 40 s between keyframes",
    "recorded: a publisher's clock that steps back by a second at a keyframe",
    "recorded: a publisher's clock that steps back by a second between keyframes",
    "recorded: a publisher's clock that steps back to 0 at a keyframe",
    "recorded: a publisher's clock that steps back to 0 between keyframes",
    "recorded: bytes behind the last NAL unit",
    "recorded: empty configurations",
    "recorded: frames of several packets",
    "recorded: parameter sets in the stream alone",
    "recorded: parameter sets that change",
    "recorded: pictures of AVC",
    "recorded: pictures of HEVC",
    "recorded: pictures of MPEG-4",
    "recorded: pictures of more than 64 KiB",
    "recorded: pictures that become smaller",
    "recorded: pictures that become those of another codec",
    "recorded: pictures that end before the sound",
    "recorded: sound of AAC alone",
    "recorded: sound of MP3 alone",
    "recorded: sound of several frames a PES packet",
    "recorded: sound with ADTS headers",
    "recorded: sound that becomes that of another codec",
    "recorded: sound that changes its rate",
    "recorded: sound that comes late",
    "recorded: sound that ends before the pictures",
    "recorded: sound, and pictures in another order",
    "recorded: tracks whose clocks are apart",
    "reply lost of: object decision/break",
    "reply lost of: object decision/end",
    "reply lost of: object decision/parted",
    "reply lost of: object decision/silence",
    "reply lost of: object decision/upload",
    "reply lost of: object files",
    "reply lost of: object log",
    "reply lost of: object order",
    "reply lost of: object session",
    "sealed: a day's files",
    "sealed: a day's sessions",
    "told: an event that was not taken",
    "told: another spool has the gateway's name",
    "told: chunks of another session come first",
    "told: status paused",
    "told: status resumed",
    "told: status started",
    "told: the bucket refuses",
    "waited for a bucket: chunk",
    "waited for a bucket: tick",
    "window ends in a push",
    "window is open around a push",
    "window is over before a push",
    "window is to come after a push",
    "window opens and ends in a push",
    "window opens in a push",
];

/// What a set of histories with real gateways has to reach.
pub const WANTED_OF_REAL_GATEWAYS: &[&str] = &[
    "answer lost: admission",
    "answer lost: chunk",
    "event: gateway cut off",
    "event: gateway lost its spool",
    "event: gateway restarted",
    "event: gateway restarted, and its spool lost a push",
    "event: second gateway begins beside the first",
    "judged: a push that a real gateway has sent on",
    "judged: a push whose gateway died",
    "recorded: a publisher's clock that passes 2^32 ms",
    "recorded: parameter sets that change",
    "recorded: pictures of HEVC",
];

/// Counts by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    counts: BTreeMap<String, u64>,
}

impl Coverage {
    /// Something was reached.
    pub fn reach(&mut self, what: impl Into<String>) {
        self.reach_times(what, 1);
    }

    /// Something was reached so often.
    pub fn reach_times(&mut self, what: impl Into<String>, times: u64) {
        if times > 0 {
            *self.counts.entry(what.into()).or_default() += times;
        }
    }

    /// How often something was reached.
    #[must_use]
    pub fn count(&self, what: &str) -> u64 {
        self.counts.get(what).copied().unwrap_or(0)
    }

    /// How many different things were reached.
    #[must_use]
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// Whether nothing was reached.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// Adds what other histories reached.
    pub fn add(&mut self, other: &Self) {
        for (what, count) in &other.counts {
            *self.counts.entry(what.clone()).or_default() += count;
        }
    }

    /// What of that which is wanted was never reached.
    #[must_use]
    pub fn missing(&self, wanted: &'static [&'static str]) -> Vec<&'static str> {
        wanted.iter().copied().filter(|what| self.count(what) == 0).collect()
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.counts.iter().try_for_each(|(what, count)| writeln!(f, "{count:>9} {what}"))
    }
}
