//! Presentation times from composition offsets, decoding times that never pass them.

use media::{AccessUnit, RepairKind, Repairs, TICKS_PER_MS};

use crate::{SessionState, state::MAX_SHIFT_90KHZ};

/// Composition offsets beyond this are no reordering but noise, in milliseconds.
pub(crate) const MAX_OFFSET_MS: i32 = 10_000;

/// The presentation time of a frame; it may lie before the decoding time until [`shift_decoding`].
pub(crate) fn presentation(dts_90khz: i64, composition_time_ms: i32, repairs: &mut Repairs) -> i64 {
    if composition_time_ms.abs() > MAX_OFFSET_MS {
        repairs.count(RepairKind::CompositionOffsetOutOfRange);
        return dts_90khz;
    }
    dts_90khz + i64::from(composition_time_ms) * TICKS_PER_MS
}

/// Moves decoding times earlier so that none lies after its presentation time.
///
/// Presentation times are what a viewer sees, so they stay. The shift only grows within a session: decoding
/// times that would fall back behind the last one written are squeezed behind it.
pub(crate) fn shift_decoding(
    units: &mut [AccessUnit<'_>],
    state: &mut SessionState<'_>,
    repairs: &mut Repairs,
) {
    let needed = units.iter().map(|unit| unit.dts_90khz - unit.pts_90khz).max().unwrap_or(0);
    let shift = needed.clamp(i64::from(state.decoding_shift_90khz), MAX_SHIFT_90KHZ);
    state.decoding_shift_90khz = shift as u32;
    for unit in units {
        if unit.pts_90khz < unit.dts_90khz {
            repairs.count(RepairKind::CompositionOffsetNegative);
        }
        let earliest = state.last_video_dts_90khz.map_or(i64::MIN, |last| last + 1);
        unit.dts_90khz = (unit.dts_90khz - shift).max(earliest);
        if unit.pts_90khz < unit.dts_90khz {
            repairs.count(RepairKind::CompositionOffsetOutOfRange);
            unit.pts_90khz = unit.dts_90khz;
        }
        state.last_video_dts_90khz = Some(unit.dts_90khz);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use media::Data;

    fn units(times_ms: &[(i64, i32)], repairs: &mut Repairs) -> Vec<AccessUnit<'static>> {
        let unit = |&(dts_ms, offset_ms): &(i64, i32)| AccessUnit {
            dts_90khz: dts_ms * 90,
            pts_90khz: presentation(dts_ms * 90, offset_ms, repairs),
            random_access: false,
            config: 0,
            data: Data::Frame(&[]),
        };
        times_ms.iter().map(unit).collect()
    }

    #[track_caller]
    fn check(times_ms: &[(i64, i32)], state: &mut SessionState<'_>, expected_ms: &[(i64, i64)]) -> Repairs {
        let mut repairs = Repairs::default();
        let mut units = units(times_ms, &mut repairs);
        shift_decoding(&mut units, state, &mut repairs);
        let found: Vec<_> = units.iter().map(|unit| (unit.dts_90khz / 90, unit.pts_90khz / 90)).collect();
        assert_eq!(found, expected_ms);
        assert!(units.is_sorted_by(|a, b| a.dts_90khz < b.dts_90khz));
        assert!(units.iter().all(|unit| unit.dts_90khz <= unit.pts_90khz));
        repairs
    }

    #[test]
    fn offsets_of_zero_and_more_change_nothing() {
        let mut state = SessionState::default();
        let repairs = check(&[(0, 80), (40, 160), (80, 0)], &mut state, &[(0, 80), (40, 200), (80, 80)]);
        assert_eq!(repairs, Repairs::default());
        assert_eq!(state.decoding_shift_90khz, 0);
    }

    #[test]
    fn negative_offsets_move_decoding_and_leave_presentation() {
        let mut state = SessionState::default();
        let repairs = check(
            &[(0, 0), (40, 80), (80, -40), (120, -40)],
            &mut state,
            &[(-40, 0), (0, 120), (40, 40), (80, 80)],
        );
        assert_eq!(repairs.of(RepairKind::CompositionOffsetNegative), 2);
        // The next chunk of the session keeps the shift.
        check(&[(160, 0), (200, 0)], &mut state, &[(120, 160), (160, 200)]);
    }

    #[test]
    fn a_shift_that_grows_later_squeezes_what_would_fall_back() {
        let mut state = SessionState::default();
        check(&[(0, 0), (40, 0)], &mut state, &[(0, 0), (40, 40)]);
        check(&[(80, 0), (120, 0), (160, -60)], &mut state, &[(40, 80), (60, 120), (100, 100)]);
        // Several fall back, and rise all the same.
        check(
            &[(200, 0), (210, 0), (220, 0), (400, -300)],
            &mut state,
            &[(100, 200), (100, 210), (100, 220), (100, 100)],
        );
    }

    #[test]
    fn offsets_that_no_reordering_explains_are_taken_for_none() {
        let mut state = SessionState::default();
        let repairs = check(&[(0, MAX_OFFSET_MS)], &mut state, &[(0, 10_000)]);
        assert_eq!(repairs, Repairs::default());
        let mut state = SessionState::default();
        let repairs = check(&[(0, 8_388_607), (40, -8_388_608)], &mut state, &[(0, 0), (40, 40)]);
        assert_eq!(repairs.of(RepairKind::CompositionOffsetOutOfRange), 2);
        let repairs = check(&[(5_000, -5_000)], &mut state, &[(4_000, 4_000)]);
        assert_eq!(repairs.of(RepairKind::CompositionOffsetOutOfRange), 1);
    }
}
