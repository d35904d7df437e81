//! Which errors an action can have.

use crate::{Action, ApiError, Fault, Kind, Parameter, Presence, faults};

/// The errors that any action can have.
pub(super) const COMMON: &[Fault] = &[
    faults::SIGNATURE_DOES_NOT_MATCH,
    faults::INCOMPLETE_SIGNATURE,
    faults::INVALID_ACCESS_KEY_ID_NOT_FOUND,
    faults::INVALID_ACCESS_KEY_ID_INACTIVE,
    faults::SIGNATURE_NONCE_USED,
    faults::INVALID_TIME_STAMP_FORMAT,
    faults::INVALID_TIME_STAMP_EXPIRED,
    faults::FORBIDDEN,
    faults::MISSING_ACTION,
    faults::INVALID_ACTION_NOT_FOUND,
    faults::MISSING_VERSION,
    faults::INVALID_VERSION,
    faults::UNSUPPORTED_METHOD,
    faults::UNSUPPORTED_CONTENT_TYPE,
    faults::REQUEST_TOO_LARGE,
    faults::REQUEST_TIMEOUT,
    faults::INVALID_ENCODING,
    faults::DUPLICATE_PARAMETER,
    faults::TOO_MANY_PARAMETERS,
    faults::SERVICE_UNAVAILABLE,
    faults::INTERNAL_ERROR,
];

/// The errors of an action: those of its parameters, in their order, and its own.
pub(super) fn errors(action: &Action) -> Vec<ApiError> {
    let mut errors = Vec::new();
    parameter_errors(action.parameters, &mut errors);
    for fault in action.faults {
        let error = ApiError::from(*fault);
        if !errors.contains(&error) {
            errors.push(error);
        }
    }
    errors
}

fn parameter_errors(parameters: &[Parameter], errors: &mut Vec<ApiError>) {
    for parameter in parameters {
        let missing = (parameter.presence == Presence::Required).then(|| ApiError::missing(parameter.name));
        let empty = parameter.empty.map(ApiError::from);
        let malformed =
            parameter.malformed.map_or_else(|| ApiError::malformed(parameter.name), ApiError::from);
        for error in missing.into_iter().chain(empty).chain([malformed]) {
            if !errors.contains(&error) {
                errors.push(error);
            }
        }
        if let Kind::Objects { fields, .. } = parameter.kind {
            parameter_errors(fields, errors);
        }
    }
}
