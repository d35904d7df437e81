//! What an action is.
//!
//! An action is defined in one place, by `action!` in a file of `actions/`: name, what it does, who may call it, its
//! parameters with the fields that they are read into, its answer, its errors. Its row in [`ACTIONS`](crate::ACTIONS),
//! the typed request, the fields of the answer and both documents follow from that. [`Call`](crate::Call) lists the
//! actions; who performs them implements [`Handle`] for each, and does not compile while one is missing.

use crate::{Answer, ApiError, Fault, Field, Parameter, Parameters};

/// One action of the API, as the documents show it.
#[derive(Clone, Copy, Debug)]
pub struct Action {
    /// Its name on the wire.
    pub name: &'static str,
    /// What it does, in a sentence or a few.
    pub summary: &'static str,
    /// What a key needs to call it.
    pub access: Access,
    /// What it takes. Any other parameter is ignored.
    pub parameters: &'static [Parameter],
    /// What it answers besides `RequestId`.
    pub answer: &'static [Field],
    /// What can go wrong besides what the parameters and the signature can.
    pub faults: &'static [Fault],
}

/// What a key needs to call an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading alone.
    Read,
    /// Changing what is configured or recorded.
    Write,
}

/// The request of an action, typed.
pub trait Request: Parameters {
    /// The action.
    const ACTION: Action;
    /// What it is answered.
    type Answer: Answer;
}

/// Performs an action.
#[expect(async_fn_in_trait, reason = "guests have one thread; no caller needs a Send bound")]
pub trait Handle<R: Request> {
    /// Answers a request.
    ///
    /// # Errors
    /// Those of the action's row.
    async fn handle(&self, request: R) -> Result<R::Answer, ApiError>;
}

/// Defines an action. Its documentation is what the documents say of it.
macro_rules! action {
    (
        $(#[doc = $summary:literal])+
        $access:ident $name:ident { $($fields:tt)* } -> $answer:ty, faults: [$($fault:ident),* $(,)?]
    ) => {
        $crate::request::parameters! {
            $(#[doc = $summary])+
            $name { $($fields)* }
        }

        impl $crate::action::Request for $name {
            const ACTION: $crate::Action = $crate::Action {
                name: stringify!($name),
                summary: concat!($($summary),+).trim_ascii(),
                access: $crate::Access::$access,
                parameters: <Self as $crate::Parameters>::PARAMETERS,
                answer: <$answer as $crate::Answer>::FIELDS,
                faults: &[$($crate::faults::$fault),*],
            };

            type Answer = $answer;
        }
    };
}
pub(crate) use action;
