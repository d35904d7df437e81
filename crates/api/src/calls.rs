//! Every action, and a request of any of them.

use serde_json::{Map, Value};

use crate::{Action, Answer, ApiError, Given, Handle, Parameters, Request, faults};

pub use crate::actions::rules::{ChangedRecordFormat, RecordFormat};

macro_rules! calls {
    ($($module:ident: [$($name:ident),* $(,)?],)*) => {
        // Nothing else makes the requests public: the compiler reports one that is missing here as unused code.
        $(pub use crate::actions::$module::{$($name),*};)*

        /// Every action, in the order in which the documents show them.
        pub const ACTIONS: &[Action] = &[$($($name::ACTION),*),*];

        /// A request of one action, typed.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "each variant is the request of its name")]
        pub enum Call {
            $($($name($name)),*),*
        }

        impl Call {
            /// Reads and checks the parameters of an action.
            ///
            /// # Errors
            /// There is no action of this name; the first parameter, in the order of the table, that is absent or
            /// wrong.
            pub fn read(action: &str, given: &Given<'_>) -> Result<Self, ApiError> {
                match action {
                    $($(stringify!($name) => $name::read(given).map(Self::$name),)*)*
                    _ => Err(faults::INVALID_ACTION_NOT_FOUND.into()),
                }
            }

            /// Has the request answered, and writes the answer's fields.
            ///
            /// # Errors
            /// Those of the action's row.
            pub async fn perform(
                self,
                handler: &(impl $($(Handle<$name> +)*)*),
            ) -> Result<Map<String, Value>, ApiError> {
                match self {
                    $($(Self::$name(request) => Ok(handler.handle(request).await?.into_fields()),)*)*
                }
            }
        }
    };
}

calls! {
    rules: [
        AddLiveAppRecordConfig, UpdateLiveAppRecordConfig, DeleteLiveAppRecordConfig, DescribeLiveRecordConfig,
    ],
    notify: [
        AddLiveRecordNotifyConfig, UpdateLiveRecordNotifyConfig, DeleteLiveRecordNotifyConfig,
        DescribeLiveRecordNotifyConfig, DescribeLiveRecordNotifyRecords,
    ],
    streams: [
        RealTimeRecordCommand, DescribeLiveStreamsOnlineList, DescribeLiveStreamState, ForbidLiveStream,
        ResumeLiveStream, DescribeLiveStreamsBlockList,
    ],
    content: [
        DescribeLiveStreamRecordContent, CreateLiveStreamRecordIndexFiles, DescribeLiveStreamRecordIndexFiles,
        DescribeLiveStreamRecordIndexFile, DeleteLiveStreamRecordIndexFiles,
    ],
}

/// The action of a name.
#[must_use]
pub fn action(name: &str) -> Option<&'static Action> {
    ACTIONS.iter().find(|action| action.name == name)
}
