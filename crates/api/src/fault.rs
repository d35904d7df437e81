//! Errors of the API: HTTP status, code and message, as clients know them.

use std::fmt;

/// An error as the table names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// HTTP status.
    pub status: u16,
    /// Stable, for programs.
    pub code: &'static str,
    /// For people. The original's wording, its slips included.
    pub message: &'static str,
}

impl Fault {
    const fn new(status: u16, code: &'static str, message: &'static str) -> Self {
        Self { status, code, message }
    }
}

/// An error as it is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// HTTP status.
    pub status: u16,
    /// Stable, for programs.
    pub code: String,
    /// For people.
    pub message: String,
    /// What failed, for the server's log alone: never answered.
    pub cause: Option<String>,
}

impl ApiError {
    /// A required parameter is absent or empty.
    #[must_use]
    pub fn missing(name: &str) -> Self {
        Self {
            status: 400,
            code: format!("Missing{name}"),
            message: format!("{name} is mandatory for this action."),
            cause: None,
        }
    }

    /// A parameter is not what it has to be.
    #[must_use]
    pub fn malformed(name: &str) -> Self {
        Self {
            status: 400,
            code: format!("Invalid{name}.Malformed"),
            message: format!("Specified parameter {name} is not valid."),
            cause: None,
        }
    }

    /// 503: a component or the host failed, and the same request can succeed later. The cause is for the log alone.
    #[must_use]
    pub fn unavailable(cause: impl fmt::Display) -> Self {
        Self::from(faults::SERVICE_UNAVAILABLE).caused_by(cause)
    }

    /// The same error, with what failed, for the log alone.
    #[must_use]
    pub fn caused_by(self, cause: impl fmt::Display) -> Self {
        Self { cause: Some(cause.to_string()), ..self }
    }

    /// The same error, with a sentence added on what was found.
    #[must_use]
    pub fn with_detail(mut self, detail: impl fmt::Display) -> Self {
        self.message = format!("{} {detail}", self.message);
        self
    }
}

impl From<Fault> for ApiError {
    fn from(fault: Fault) -> Self {
        Self { status: fault.status, code: fault.code.into(), message: fault.message.into(), cause: None }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.status, self.code, self.message)
    }
}

impl std::error::Error for ApiError {}

impl From<acs::Error> for ApiError {
    fn from(error: acs::Error) -> Self {
        use acs::Error as E;
        match error {
            E::Encoding { .. } => faults::INVALID_ENCODING.into(),
            E::TooManyParameters => faults::TOO_MANY_PARAMETERS.into(),
            E::Duplicate { name } => {
                Self::from(faults::DUPLICATE_PARAMETER).with_detail(format_args!("It is {name:?}."))
            }
            // A client of 2016 splits this message at its first colon, and has to find its own text behind it.
            E::SignatureMismatch { string_to_sign } => {
                let fault = faults::SIGNATURE_DOES_NOT_MATCH;
                Self { message: format!("{}{string_to_sign}", fault.message), ..fault.into() }
            }
            E::TimeFormat { .. } => faults::INVALID_TIME_STAMP_FORMAT.into(),
            E::Expired { .. } => faults::INVALID_TIME_STAMP_EXPIRED.into(),
            E::UnknownKey { .. } => faults::INVALID_ACCESS_KEY_ID_NOT_FOUND.into(),
            E::InactiveKey { .. } => faults::INVALID_ACCESS_KEY_ID_INACTIVE.into(),
            other @ (E::Missing { .. } | E::Unexpected { .. } | E::ContentHash { .. }) => {
                Self::from(faults::INCOMPLETE_SIGNATURE).with_detail(format_args!("Found: {other}."))
            }
            _ => faults::INTERNAL_ERROR.into(),
        }
    }
}

/// Every error but those that follow a pattern, [`ApiError::missing`] and [`ApiError::malformed`].
pub mod faults {
    use super::Fault;

    macro_rules! faults {
        ($($(#[$doc:meta])* $name:ident = $status:literal $code:literal $message:literal;)*) => {
            $($(#[$doc])* pub const $name: Fault = Fault::new($status, $code, $message);)*

            /// All of them.
            pub const ALL: &[Fault] = &[$($name),*];
        };
    }

    faults! {
        /// The signature is another one than the secret gives. Answered with the string to sign at its end.
        SIGNATURE_DOES_NOT_MATCH = 400 "SignatureDoesNotMatch"
            "Specified signature is not matched with our calculation. server string to sign is:";
        /// Something that the signature needs is absent or contradicts itself.
        INCOMPLETE_SIGNATURE = 400 "IncompleteSignature"
            "The request signature does not conform to Aliyun standards.";
        /// No such access key.
        INVALID_ACCESS_KEY_ID_NOT_FOUND = 404 "InvalidAccessKeyId.NotFound" "Specified access key is not found.";
        /// The access key is switched off.
        INVALID_ACCESS_KEY_ID_INACTIVE = 400 "InvalidAccessKeyId.Inactive" "Specified access key is disabled.";
        /// A request of this key, time and nonce was answered before.
        SIGNATURE_NONCE_USED = 400 "SignatureNonceUsed" "Specified signature nonce was used already.";
        /// The signature's time is not `yyyy-MM-ddTHH:mm:ssZ`.
        INVALID_TIME_STAMP_FORMAT = 400 "InvalidTimeStamp.Format"
            "Specified time stamp or date value is not well formatted.";
        /// The signature's time is more than 15 minutes away from the server's.
        INVALID_TIME_STAMP_EXPIRED = 400 "InvalidTimeStamp.Expired"
            "Specified time stamp or date value is expired.";
        /// The access key is limited to other domains, or to reading.
        FORBIDDEN = 403 "Forbidden" "User not authorized to operate on the specified resource.";
        /// No such action.
        INVALID_ACTION_NOT_FOUND = 404 "InvalidAction.NotFound"
            "Specified api is not found, please check your url and method.";
        /// The version is not 2016-11-01.
        INVALID_VERSION = 404 "InvalidVersion" "Specified parameter Version is not valid.";
        /// No action is named.
        MISSING_ACTION = 400 "MissingAction" "Action is mandatory for this action.";
        /// No version is named.
        MISSING_VERSION = 400 "MissingVersion" "Version is mandatory for this action.";
        /// The method is neither GET nor POST.
        UNSUPPORTED_METHOD = 405 "UnsupportedHTTPMethod" "Specified HTTP method is not supported.";
        /// The body is not a form.
        UNSUPPORTED_CONTENT_TYPE = 415 "UnsupportedContentType"
            "The body must be application/x-www-form-urlencoded.";
        /// The body is longer than the server reads.
        REQUEST_TOO_LARGE = 413 "RequestEntityTooLarge" "The request is larger than the server accepts.";
        /// Nothing more of the body came for half a minute.
        REQUEST_TIMEOUT = 408 "RequestTimeout" "The request has not come to its end in time.";
        /// Names and values are not percent-encoded UTF-8.
        INVALID_ENCODING = 400 "InvalidParameter.Encoding" "Specified parameters are not percent-encoded UTF-8.";
        /// A parameter comes twice.
        DUPLICATE_PARAMETER = 400 "InvalidParameter.Duplicate" "A parameter is specified more than once.";
        /// There are more parameters than any action has.
        TOO_MANY_PARAMETERS = 400 "InvalidParameter.TooMany" "Too many parameters are specified.";
        /// A rule of this triple, or a config of this domain, exists.
        CONFIG_ALREADY_EXISTS = 400 "ConfigAlreadyExists" "Config has already exist.";
        /// No rule of this triple, or no config of this domain, exists.
        INVALID_CONFIG_NOT_FOUND = 404 "InvalidConfig.NotFound" "Config does not exist.";
        /// The bucket has no valid name.
        INVALID_OSS_BUCKET_MALFORMED = 400 "InvalidOssBucket.Malformed"
            "Specified parameter OssBucket is not valid.";
        /// The bucket does not exist, or refuses the server's credentials.
        INVALID_OSS_BUCKET_NOT_FOUND = 400 "InvalidOssBucket.NotFound" "The parameter OssBucket does not exist.";
        /// The format is none of those recorded.
        INVALID_FORMAT = 400 "InvalidFormat.Malformed" "Specified parameter Format is not valid.";
        /// The cycle is no number of seconds in its range.
        INVALID_CYCLE_DURATION = 400 "InvalidCycleDuration.Malformed"
            "Specified CycleDuration Format is not valid.";
        /// A rule without any format.
        MISSING_RECORD_FORMAT = 400 "MissingRecordFormat" "RecordFormat is mandatory for this action.";
        /// The template of record files is given and empty.
        MISSING_OSS_OBJECT_PREFIX = 400 "MissingOssObjectPrefix" "OssObjectPrefix is mandatory for this action.";
        /// The template of record files is not valid.
        INVALID_OSS_OBJECT_PREFIX = 400 "InvalidOssObjectPrefix.Malformed"
            "Specified parameter OssObjectPrefix is not valid.";
        /// The template of slices is not valid.
        INVALID_SLICE_OSS_OBJECT_PREFIX = 400 "InvalidSliceOssObjectPrefix.Malformed"
            "Specified parameter SliceOssObjectPrefix is not valid.";
        /// Not a time of the form `yyyy-MM-ddTHH:mm:ssZ`.
        INVALID_START_TIME = 400 "InvalidStartTime.Malformed" "Specified StartTime is malformed.";
        /// Not a time of the form `yyyy-MM-ddTHH:mm:ssZ`; for a rule also: not after StartTime.
        INVALID_END_TIME = 400 "InvalidEndTime.Malformed" "Specified EndTime is malformed.";
        /// Not a time of the form `yyyy-MM-ddTHH:mm:ssZ`, or not after now.
        INVALID_RESUME_TIME = 400 "InvalidResumeTime.Malformed" "Specified parameter ResumeTime is not valid.";
        /// The end is not after the start, or the range is too long.
        INVALID_END_TIME_MISMATCH = 400 "InvalidEndTime.Mismatch"
            "Specified end time does not math the specified start time.";
        /// A config without any URL.
        MISSING_NOTIFY_URL = 400 "MissingNotifyUrl" "NotifyUrl is mandatory for this action.";
        /// Callbacks are to be signed, and there is no key.
        MISSING_NOTIFY_AUTH_KEY = 400 "MissingNotifyAuthKey" "NotifyAuthKey is mandatory for this action.";
        /// The URL does not begin with `http://` or `https://`, or cannot be called: its host or its port is none, or it has
        /// a user.
        INVALID_NOTIFY_URL = 400 "InvalidNotifyUrl.Malformed" "Specified NotifyUrl is invalid.";
        /// The URL leads into a private network, and the setting forbids that.
        INVALID_NOTIFY_URL_UNSAFE = 400 "InvalidNotifyUrl.Unsafe" "Specified NotifyUrl is not safe.";
        /// The same for the on-demand URL.
        INVALID_ON_DEMAND_URL_UNSAFE = 400 "InvalidOnDemandUrl.Unsafe" "Specified OnDemandUrl is not safe.";
        /// No rule and no stream of this domain is known.
        INVALID_DOMAIN_NOT_FOUND = 404 "InvalidDomain.NotFound"
            "The domain provided does not exist in our records.";
        /// The stream is not being pushed.
        INVALID_STREAM_NOT_FOUND = 404 "InvalidStream.NotFound" "Stream does not exist.";
        /// No push of the stream that an index file is wanted for is known.
        INVALID_INDEX_STREAM_NOT_FOUND = 400 "InvalidStream.NotFound" "Speicified stream does not exist.";
        /// The stream is being recorded already.
        TASK_ALREADY_STARTED = 409 "TaskAlreadyStarted" "Task has already started.";
        /// The stream is not in the state that the command needs.
        TASK_NOT_STARTED = 409 "TaskNotStarted" "Task has not started, or has not been stopped.";
        /// The bucket of an index file has no valid name.
        INVALID_INDEX_OSS_BUCKET = 400 "InvalidOssBucket.Malformed" "Specified OssBucket is malformed.";
        /// The object name of an index file is not valid.
        INVALID_OSS_OBJECT = 400 "InvalidOssObject.Malformed" "Specified OssObject is malformed.";
        /// Another object has the name; the server never replaces one.
        OSS_OBJECT_ALREADY_EXISTS = 409 "InvalidOssObject.AlreadyExists"
            "The parameter OssObject names an object that exists; objects are never replaced.";
        /// The range lies in more than one bucket.
        INVALID_CONFIG_CHANGED = 400 "InvalidConfig.Changed"
            "The oss bucket info between StartTime and EndTime has changed.";
        /// Nothing was recorded in the range.
        NO_RECORD_CONTENT = 400 "NoRecordContent" "The record content between StartTime and EndTime is empty.";
        /// The stream has no record file or index file of this id.
        INVALID_RECORD_ID_NOT_FOUND = 404 "InvalidRecordId.NotFound" "Specified RecordId does not exist.";
        /// Objects are never deleted.
        REMOVE_FILE_NOT_SUPPORTED = 400 "InvalidRemoveFile.NotSupported"
            "Objects in the bucket are never deleted by this service; RemoveFile must be false.";
        /// Other callers changed the same config at the same time, again and again.
        CONFIG_CHANGED_CONCURRENTLY = 503 "ServiceUnavailable"
            "The config is being changed by others; try again.";
        /// The bucket or the store cannot be reached for now.
        SERVICE_UNAVAILABLE = 503 "ServiceUnavailable"
            "The request has failed due to a temporary failure of the server.";
        /// A fault of the server.
        INTERNAL_ERROR = 500 "InternalError"
            "The request processing has failed due to some unknown error, exception or failure.";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_shown_by_status_code_and_message_without_its_cause() {
        let error = ApiError::missing("DomainName").caused_by("the store");
        assert_eq!(error.to_string(), "400 MissingDomainName: DomainName is mandatory for this action.");
        assert_eq!(error.cause.as_deref(), Some("the store"));
    }
}
