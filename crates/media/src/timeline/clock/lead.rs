//! How far a track runs before the other.

use super::MAX_PACE_ERROR_90KHZ;

/// Access units after which a lead is known.
const KNOWN_UNITS: u8 = 4;

/// How far a track runs before the other when its access units arrive: the interleaving of the push.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lead {
    /// On average. Unit: 1/90 000 s.
    pub mean_90khz: i64,
    /// How far single ones lie from that, on average. Unit: 1/90 000 s.
    pub spread_90khz: u32,
    /// Access units seen, at most 255.
    pub units: u8,
}

impl Lead {
    /// An access unit came that runs so far before the other track's last one. Single ones that run further than
    /// others change little.
    pub(crate) fn learn(&mut self, lead_90khz: i64) {
        // Dividing by what is known here is faster.
        let divide =
            |value: i64| if self.units >= 15 { value / 16 } else { value / (i64::from(self.units) + 1) };
        let reach = 4 * i64::from(self.spread_90khz) + MAX_PACE_ERROR_90KHZ;
        let change = lead_90khz - self.mean_90khz;
        let change = if self.units < KNOWN_UNITS { change } else { change.clamp(-reach, reach) };
        let distance = change.abs().min(i64::from(u32::MAX));
        if self.units > 0 {
            let spread = i64::from(self.spread_90khz);
            self.spread_90khz = (spread + divide(distance - spread)) as u32;
        }
        self.mean_90khz += divide(change);
        self.units = self.units.saturating_add(1);
    }

    /// How unusual a lead is.
    pub(crate) fn distance(&self, lead_90khz: i64) -> i64 {
        (lead_90khz - self.mean_90khz).abs()
    }

    /// A distance is more than the interleaving explains.
    pub(crate) fn is_beyond(&self, distance_90khz: i64) -> bool {
        self.units >= KNOWN_UNITS && distance_90khz > 4 * i64::from(self.spread_90khz)
    }
}
