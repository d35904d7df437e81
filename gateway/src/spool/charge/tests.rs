use super::*;

#[test]
fn a_full_spool_is_full_for_those_who_have_their_share() {
    let contents = Arc::new(Contents::new(1_000, 0));
    let charge = |name: &str, bytes| {
        let account = contents.account(&StreamPath::new("d", "a", name).unwrap());
        let mut charge = Charge::new(&account);
        charge.add(bytes);
        (account, charge)
    };
    let (many, mut most) = charge("many", 900);
    assert!(!many.is_full(), "there is room for all");
    let (few, _some) = charge("few", 200);
    assert!(contents.is_full() && many.is_full() && !few.is_full());
    let (same, _more) = charge("few", 300);
    assert!(Arc::ptr_eq(&same, &few) && few.is_full(), "half of it each");
    most.remove(500);
    assert!(!many.is_full() && !few.is_full());
    assert!(many.has_room() && few.has_room());
    drop((most, many));
    assert_eq!(contents.share_bytes(), 1_000);
    assert_eq!(contents.accounts().len(), 1);
}

#[test]
fn a_stream_above_its_share_holds_the_spool_at_most_a_part_beyond_its_limit() {
    let limit = 800 << 20;
    let contents = Arc::new(Contents::new(limit, 0));
    let account = |name: &str| contents.account(&StreamPath::new("d", "a", name).unwrap());
    let (large, small) = (account("large"), account("small"));
    let [mut much, mut little] = [&large, &small].map(Charge::new);
    let on_disk = |charge: &mut Charge, bytes| {
        charge.add(bytes);
        charge.on_disk(charge.bytes);
    };
    on_disk(&mut much, limit);
    on_disk(&mut little, limit / 8);
    assert!(large.is_full() && !large.is_beyond() && !large.has_room());
    on_disk(&mut little, BEYOND_BYTES);
    assert!(large.is_beyond() && !small.is_beyond() && !small.is_full(), "it has its share");
    much.on_disk(limit / 2 - limit / 32);
    much.remove(limit / 2 + limit / 32);
    assert!(!large.is_full() && large.has_room());
}

#[test]
fn what_a_spool_was_found_with_is_not_beyond_a_limit_that_is_lower_now() {
    let (limit, found) = (1 << 20, 100 << 20);
    let is_beyond = |found_bytes, bytes| {
        let contents = Arc::new(Contents::new(limit, found_bytes));
        let account = contents.account(&StreamPath::new("d", "a", "s").unwrap());
        let mut charge = Charge::new(&account);
        charge.add(bytes);
        (account.is_full(), account.is_beyond())
    };
    assert_eq!(is_beyond(0, found), (true, true));
    assert_eq!(is_beyond(found, found), (true, false));
    assert_eq!(is_beyond(found, found + limit / 8 + BEYOND_BYTES), (true, true));
}

#[test]
fn the_spool_and_the_streams_that_fill_it_are_named_once_until_they_have_healed() {
    let contents = Arc::new(Contents::new(1_000, 0));
    let account = |name: &str| contents.account(&StreamPath::new("d", "a", name).unwrap());
    let (large, small) = (account("large"), account("small"));
    let [mut much, mut little] = [&large, &small].map(Charge::new);
    let said = || {
        let warnings = contents.warnings().into_iter();
        warnings
            .map(|warning| (warning.stream.map(|stream| stream.stream().to_owned()), warning.is_healed))
            .collect::<Vec<_>>()
    };
    let named = |name: &str, is_healed| (Some(name.to_owned()), is_healed);
    much.add(700);
    little.add(10);
    assert!(said().is_empty(), "there is room for all");
    much.add(90);
    assert_eq!(said(), [(None, false), named("large", false)]);
    assert!(said().is_empty());
    much.remove(400);
    assert_eq!(said(), [(None, true), named("large", true)]);
    little.add(440);
    assert_eq!(said(), [(None, false), named("small", false)]);
    little.remove(100);
    much.add(20);
    assert_eq!(said(), [named("large", false)], "the small one has not healed");
}

#[test]
fn one_more_is_admitted_where_others_have_much_more_than_their_share() {
    let contents = Arc::new(Contents::new(1_000, 0));
    let path = |name: &str| StreamPath::new("d", "a", name).unwrap();
    let charge = |name: &str, bytes| {
        let mut charge = Charge::new(&contents.account(&path(name)));
        charge.add(bytes);
        charge
    };
    let mut much = charge("much", 999);
    assert!(contents.admits(&path("new")), "there is room");
    much.add(1);
    assert!(contents.admits(&path("new")), "it has all");
    let _idle = contents.account(&path("idle"));
    much.remove(800);
    let others = ["b", "c", "d", "e"].map(|name| charge(name, 200));
    assert!(contents.is_full());
    assert!(!contents.admits(&path("new")) && !contents.admits(&path("idle")));
    assert!(contents.admits(&path("c")), "it has its place");
    others[0].account().note_taken();
    assert!(contents.admits(&path("new")), "the functions take media of others");
    *contents.taken.lock().unwrap() = None;
    much.remove(126);
    assert!(contents.admits(&path("new")), "there is room again");
}

#[test]
fn what_is_in_memory_alone_is_bounded_also_where_the_disk_takes_other_writes() {
    let contents = Arc::new(Contents::new(4 << 30, 0));
    let account = |name: &str| contents.account(&StreamPath::new("d", "a", name).unwrap());
    let (first, second) = (account("first"), account("second"));
    let [mut refused, mut taken] = [&first, &second].map(Charge::new);
    let full = || Err(io::ErrorKind::StorageFull.into());
    taken.add(100);
    taken.written(100, &Ok(()));
    for _ in 0..4 {
        refused.add(MEMORY_BYTES / 4);
        refused.written(0, &full());
        taken.add(1);
        taken.written(100, &Ok(()));
        taken.written(taken.bytes, &Ok(()));
    }
    assert!(contents.is_full() && first.is_full() && !second.is_full());
    refused.written(MEMORY_BYTES / 2, &Ok(()));
    assert!(!contents.is_full() && first.has_room(), "half of it is on disk");
}

#[tokio::test]
async fn who_waits_for_room_goes_on_once_the_disk_takes_what_was_in_memory() {
    let contents = Arc::new(Contents::new(4 << 30, 0));
    let mut charge = Charge::new(&contents.account(&StreamPath::new("d", "a", "s").unwrap()));
    charge.add(MEMORY_BYTES);
    assert!(contents.is_full());
    let waiting = tokio::spawn({
        let contents = Arc::clone(&contents);
        async move { contents.freed().await }
    });
    tokio::task::yield_now().await;
    charge.written(MEMORY_BYTES, &Ok(()));
    waiting.await.unwrap();
}
