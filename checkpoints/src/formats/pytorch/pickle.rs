//! A reader of pickles that makes nothing but plain values and descriptions of tensors.

mod machine;
mod object;

use std::collections::BTreeMap;

use crate::formats::TENSORS_MAX;
use crate::tensor::ElementType;
pub(super) use machine::read;
use object::{Object, Value};

/// The objects of a pickle. They refer to each other by index, so that even cycles are harmless.
pub(super) struct Pickle<'a> {
    objects: Vec<Object<'a>>,
    top: Value<'a>,
    /// How long the pickle is.
    pub(super) bytes: usize,
}

/// A tensor in a pickle.
#[derive(Clone, Debug)]
pub(super) struct TensorParts<'a> {
    pub(super) storage: Storage<'a>,
    pub(super) offset: usize,
    pub(super) shape: Vec<usize>,
    pub(super) strides: Vec<usize>,
}

/// Elements that are elsewhere in the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Storage<'a> {
    pub(super) key: &'a str,
    pub(super) element_type: ElementType,
}

/// What was looked for.
pub(super) struct Found<'a> {
    pub(super) tensors: Vec<(&'a str, TensorParts<'a>)>,
    /// Of all storages in the pickle.
    pub(super) element_types: BTreeMap<&'a str, ElementType>,
}

/// Where programs that train keep the weights, beside their own state; the first that is there counts.
const KEYS: [&str; 5] = [
    "state_dict_ema",
    "model_ema",
    "state_dict",
    "model_state_dict",
    "model",
];

impl<'a> Pickle<'a> {
    /// The dictionary of tensors: the pickle itself, or what it has under one of the usual keys.
    ///
    /// # Errors
    /// If there is none.
    pub(super) fn find_state_dict(&self) -> Result<Found<'a>, String> {
        let inner = KEYS.iter().filter_map(|key| self.entry(key));
        let mut places = [self.top].into_iter().chain(inner);
        let tensors = places.find_map(|value| self.tensors(value)).ok_or(
            "it has no dictionary of tensors: write it with torch.save(model.state_dict(), \"model.pth\")",
        )?;
        let storages = self.objects.iter().filter_map(|object| match object {
            Object::Storage(storage) => Some((storage.key, storage.element_type)),
            _ => None,
        });
        Ok(Found {
            tensors,
            element_types: storages.collect(),
        })
    }

    /// The list of texts that the pickle is.
    ///
    /// # Errors
    /// If it is something else.
    pub(super) fn texts(&self) -> Result<Vec<&'a str>, String> {
        let texts = match self.object(self.top) {
            Some(Object::List(items)) => items.iter().map(|item| item.text()).collect(),
            _ => None,
        };
        texts.ok_or_else(|| "it has no list of storages".to_owned())
    }

    fn object(&self, value: Value<'a>) -> Option<&Object<'a>> {
        match value {
            Value::Object(index) => self.objects.get(index),
            _ => None,
        }
    }

    fn entry(&self, name: &str) -> Option<Value<'a>> {
        let Some(Object::Dict(entries)) = self.object(self.top) else {
            return None;
        };
        let mut entries = entries.iter();
        let entry = entries.find(|(key, _)| key.text() == Some(name));
        entry.map(|(_, value)| *value)
    }

    /// The tensors of a dictionary that has nothing else.
    fn tensors(&self, dict: Value<'a>) -> Option<Vec<(&'a str, TensorParts<'a>)>> {
        let Some(Object::Dict(entries)) = self.object(dict) else {
            return None;
        };
        if entries.len() > TENSORS_MAX {
            return None;
        }
        let tensors: Option<Vec<_>> = entries
            .iter()
            .map(|(key, value)| match self.object(*value) {
                Some(Object::Tensor(tensor)) => Some((key.text()?, tensor.clone())),
                _ => None,
            })
            .collect();
        tensors.filter(|tensors| !tensors.is_empty())
    }
}
