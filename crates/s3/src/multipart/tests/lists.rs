//! What a store lists: the parts of an upload, and the uploads of a name.

use super::*;

#[test]
fn parts_are_listed_page_by_page_until_their_end() {
    let page = |numbers: std::ops::Range<u16>, more: bool| {
        let part = |n| {
            format!("<Part><PartNumber>{n}</PartNumber><ETag>&quot;e{n}&quot;</ETag><Size>{n}</Size></Part>")
        };
        let parts: String = numbers.map(part).collect();
        answer(200, &format!("<ListPartsResult><IsTruncated>{more}</IsTruncated>{parts}</ListPartsResult>"))
    };
    let list = |script: &Script| block_on(client(script).list_parts(AT));
    let two = script([page(1..3, true), page(3..4, false)]);
    let listed = list(&two).unwrap();
    assert_eq!(listed.iter().map(|part| part.number).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(listed[2], Part { number: 3, etag: "\"e3\"".into(), size: 3 });
    assert_eq!(
        two.requests(),
        [0, 2].map(|after| format!("GET /bkt/a/b.mp4?max-parts=1000&part-number-marker={after}&uploadId=up"))
    );
    // A store that gives the same page again and again is not asked for ever.
    let stubborn = script([page(1..3, true), page(1..3, true)]);
    assert!(matches!(list(&stubborn), Err(Error::Unavailable { .. })));
    assert_eq!(list(&script([page(1..1, true)])), Ok(Vec::new()));
    let odd = "<ListPartsResult><Part><PartNumber>0</PartNumber></Part></ListPartsResult>";
    assert!(matches!(list(&script([answer(200, odd)])), Err(Error::Unavailable { .. })));
    assert_eq!(list(&script([problem(404, "NoSuchUpload")])), Err(no_upload()));
}

#[test]
fn uploads_are_listed_by_their_plain_names() {
    let body = |encoding: &str, key: &str| {
        format!(
            "<ListMultipartUploadsResult>{encoding}<IsTruncated>true</IsTruncated>\
             <NextKeyMarker>{key}</NextKeyMarker><NextUploadIdMarker>2</NextUploadIdMarker>\
             <Upload><Key>{key}</Key><UploadId>2</UploadId></Upload></ListMultipartUploadsResult>"
        )
    };
    for (encoding, key) in
        [("<EncodingType>url</EncodingType>", "a%2Fb+c%20%26.mp4"), ("", "a/b+c &amp;.mp4")]
    {
        let page = script([answer(200, &body(encoding, key))]);
        let upload = Upload { key: "a/b+c &.mp4".into(), id: "2".into() };
        let expected = Uploads { uploads: vec![upload.clone()], next: Some(upload) };
        assert_eq!(block_on(client(&page).list_uploads("a/", None)), Ok(expected));
    }
    let last = "<ListMultipartUploadsResult><NextKeyMarker></NextKeyMarker><NextUploadIdMarker/>\
                <IsTruncated>false</IsTruncated></ListMultipartUploadsResult>";
    let none = block_on(client(&script([answer(200, last)])).list_uploads("", None));
    assert_eq!(none, Ok(Uploads::default()));
    assert!(block_on(client(&script([problem(403, "AccessDenied")])).list_uploads("", None)).is_err());
}

#[test]
fn a_page_of_a_thousand_uploads_with_the_longest_names_is_read() {
    // Names have 1,024 bytes at most, and each takes three where it is encoded.
    let (key, id) = ("%2B".repeat(1_024), "u".repeat(200));
    let about = "<Initiated>2026-01-01T00:00:00.000Z</Initiated><StorageClass>STANDARD</StorageClass>";
    let upload = format!("<Upload><Key>{key}</Key><UploadId>{id}</UploadId>{about}</Upload>");
    let uploads = upload.repeat(1_000);
    let page = format!("<ListMultipartUploadsResult>{uploads}</ListMultipartUploadsResult>");
    let asked = script([answer(200, &page)]);
    assert_eq!(block_on(client(&asked).list_uploads("", None)).unwrap().uploads.len(), 1_000);
    assert!(asked.asked.borrow()[0].2 as usize > page.len());
}

#[test]
fn all_uploads_of_a_name_are_given_up_page_by_page_and_no_others() {
    let page = |uploads: &[(&str, &str)], next: Option<(&str, &str)>| {
        let upload =
            |(key, id): &(&str, &str)| format!("<Upload><Key>{key}</Key><UploadId>{id}</UploadId></Upload>");
        let uploads: String = uploads.iter().map(upload).collect();
        let next = next.map_or(String::new(), |(key, id)| {
            format!(
                "<IsTruncated>true</IsTruncated><NextKeyMarker>{key}</NextKeyMarker>                 <NextUploadIdMarker>{id}</NextUploadIdMarker>"
            )
        });
        answer(200, &format!("<ListMultipartUploadsResult>{next}{uploads}</ListMultipartUploadsResult>"))
    };
    let gone = || status(204);
    let more = script([
        page(&[("a", "1"), ("a", "2")], Some(("a", "2"))),
        gone(),
        gone(),
        page(&[("a", "3"), ("a.old", "4")], Some(("a.old", "4"))),
        gone(),
    ]);
    assert_eq!(block_on(client(&more).abort_uploads("a")), Ok(3));
    let deleted: Vec<String> =
        more.requests().into_iter().filter(|request| request.starts_with("DELETE")).collect();
    assert_eq!(deleted, [1, 2, 3].map(|id| format!("DELETE /bkt/a?uploadId={id}")));
    // The second page begins after the last one of the first.
    assert!(more.requests()[3].contains("key-marker=a&"), "{:?}", more.requests());
    assert!(more.requests()[3].contains("upload-id-marker=2"), "{:?}", more.requests());
}

#[test]
fn an_upload_that_is_gone_is_aborted() {
    let abort = |response| block_on(client(&script([response])).abort_upload(AT));
    for gone in [status(204), problem(404, "NoSuchUpload")] {
        assert_eq!(abort(gone), Ok(()));
    }
    assert!(matches!(abort(status(404)), Err(Error::Unavailable { .. })));
    assert!(matches!(abort(problem(403, "AccessDenied")), Err(Error::Refused { .. })));
}
