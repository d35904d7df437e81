//! `spin:variables/variables@3.0.0`.

use wasmtime::component::{Accessor, HasData, Linker};

use super::generated::spin::variables::variables;
use crate::instance::InstanceState;
use crate::variables::ComponentVariables;

pub(crate) use variables::Error as VariableError;

/// What one instance sees.
pub(crate) struct VariablesCtx {
    pub(crate) variables: ComponentVariables,
}

/// Gives access to a [`VariablesCtx`].
pub(crate) trait VariablesView {
    fn variables(&mut self) -> &mut VariablesCtx;
}

struct HasVariables;

impl HasData for HasVariables {
    type Data<'a> = &'a mut VariablesCtx;
}

pub(super) fn add_to_linker(linker: &mut Linker<InstanceState>) -> wasmtime::Result<()> {
    variables::add_to_linker::<_, HasVariables>(linker, InstanceState::variables)
}

impl variables::Host for &mut VariablesCtx {
    fn convert_error(&mut self, error: VariableError) -> wasmtime::Result<VariableError> {
        Ok(error)
    }
}

impl<T: Send> variables::HostWithStore<T> for HasVariables {
    async fn get(accessor: &Accessor<T, Self>, name: String) -> Result<String, VariableError> {
        if crate::template::check_name(&name).is_err() {
            return Err(VariableError::InvalidName(name));
        }
        accessor
            .with(|mut access| access.get().variables.get(&name).cloned())
            .ok_or(VariableError::Undefined(name))
    }
}
