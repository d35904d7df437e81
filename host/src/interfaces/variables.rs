//! `spin:variables/variables@3.0.0`.

use wasmtime::component::{Accessor, HasData, Linker};

use super::bindings::spin::variables::variables;
use crate::manifest::variables::{ComponentVariables, VariableError};

/// What one instance sees.
pub(crate) struct VariablesCtx {
    pub(crate) variables: ComponentVariables,
}

/// Gives access to a [`VariablesCtx`].
pub(crate) trait VariablesView: Send {
    fn variables(&mut self) -> &mut VariablesCtx;
}

struct HasVariables;

impl HasData for HasVariables {
    type Data<'a> = &'a mut VariablesCtx;
}

pub(super) fn add_to_linker<T: VariablesView + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    variables::add_to_linker::<_, HasVariables>(linker, T::variables)
}

impl variables::Host for &mut VariablesCtx {
    fn convert_error(&mut self, error: VariableError) -> wasmtime::Result<variables::Error> {
        Ok(match error {
            VariableError::InvalidName(name) => variables::Error::InvalidName(name),
            VariableError::Undefined(name) => variables::Error::Undefined(name),
        })
    }
}

impl<T: Send> variables::HostWithStore<T> for HasVariables {
    async fn get(accessor: &Accessor<T, Self>, name: String) -> Result<String, VariableError> {
        accessor.with(|mut access| access.get().variables.get(&name).map(str::to_owned))
    }
}
