//! Lists and objects of JSON with a bound on their entries: each entry takes more memory than its text.

use std::{collections::HashMap, fmt, marker::PhantomData};

use imageclassifier_proto::inference::{InferParameter, infer_parameter::ParameterChoice};
use serde::{
    Deserialize,
    de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

/// Most entries of a list or an object; a valid request needs a few.
const ENTRIES_MAX: usize = 64;

/// At most [`ENTRIES_MAX`] named values. Other values than numbers, strings and booleans are ignored.
#[derive(Default)]
pub(super) struct Parameters(pub(super) HashMap<String, InferParameter>);

impl Parameters {
    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        match self.0.get(name)?.parameter_choice {
            Some(ParameterChoice::BoolParam(flag)) => Some(flag),
            _ => None,
        }
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.0.get(name)?.parameter_choice.as_ref()? {
            ParameterChoice::StringParam(text) => Some(text),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Parameters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Parameters;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Parameters, A::Error> {
                let mut parameters = HashMap::new();
                while let Some((name, Parameter(choice))) = map.next_entry()? {
                    if parameters.len() == ENTRIES_MAX {
                        return Err(A::Error::custom(too_many()));
                    }
                    let parameter = InferParameter {
                        parameter_choice: choice,
                    };
                    parameters.insert(name, parameter);
                }
                Ok(Parameters(parameters))
            }
        }

        deserializer.deserialize_map(Entries)
    }
}

struct Parameter(Option<ParameterChoice>);

impl<'de> Deserialize<'de> for Parameter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyValue;

        impl<'de> Visitor<'de> for AnyValue {
            type Value = Parameter;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a value")
            }

            fn visit_bool<E: Error>(self, flag: bool) -> Result<Parameter, E> {
                Ok(Parameter(Some(ParameterChoice::BoolParam(flag))))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Parameter, E> {
                Ok(Parameter(Some(ParameterChoice::Int64Param(number))))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Parameter, E> {
                Ok(Parameter(Some(ParameterChoice::Uint64Param(number))))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Parameter, E> {
                Ok(Parameter(Some(ParameterChoice::DoubleParam(number))))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Parameter, E> {
                let text = text.to_owned();
                Ok(Parameter(Some(ParameterChoice::StringParam(text))))
            }

            fn visit_unit<E: Error>(self) -> Result<Parameter, E> {
                Ok(Parameter(None))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Parameter, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Parameter(None))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Parameter, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Parameter(None))
            }
        }

        deserializer.deserialize_any(AnyValue)
    }
}

/// A list of at most [`ENTRIES_MAX`].
pub(super) struct Few<T>(pub(super) Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Few<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Few<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Few<T>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = list.next_element()? {
                    if entries.len() == ENTRIES_MAX {
                        return Err(A::Error::custom(too_many()));
                    }
                    entries.push(entry);
                }
                Ok(Few(entries))
            }
        }

        deserializer.deserialize_seq(Entries(PhantomData))
    }
}

fn too_many() -> String {
    format!("over {ENTRIES_MAX} entries")
}
