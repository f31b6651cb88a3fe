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

/// Length of the name of a tensor or storage, at most. A pickle can use one string many times, and each tensor has a copy of
/// its name.
const NAME_BYTES_MAX: usize = 256;

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
    /// If the pickle has no such dictionary.
    pub(super) fn find_state_dict(&self) -> Result<BTreeMap<&'a str, TensorParts<'a>>, String> {
        let inner = KEYS.iter().filter_map(|key| self.entry(key));
        let mut places = [self.top].into_iter().chain(inner);
        let tensors = places.find_map(|value| self.tensors(value));
        tensors.ok_or_else(|| {
            "it has no dictionary of tensors: write it with torch.save(model.state_dict(), \"model.pth\")".to_owned()
        })
    }

    /// The types of all storages in the pickle, by key.
    pub(super) fn element_types(&self) -> BTreeMap<&'a str, ElementType> {
        let storages = self.objects.iter().filter_map(|object| match object {
            Object::Storage(storage) => Some((storage.key, storage.element_type)),
            _ => None,
        });
        storages.collect()
    }

    /// The list of strings that the pickle is.
    ///
    /// # Errors
    /// If it is something else.
    pub(super) fn strings(&self) -> Result<Vec<&'a str>, String> {
        let strings = match self.object(self.top) {
            Some(Object::List(items)) => items.iter().map(|item| item.as_str()).collect(),
            _ => None,
        };
        strings.ok_or_else(|| "it has no list of storages".to_owned())
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
        let entry = entries.find(|(key, _)| key.as_str() == Some(name));
        entry.map(|(_, value)| *value)
    }

    /// The tensors of a dictionary that has nothing else. Of entries with the same name, the last counts, as in Python.
    fn tensors(&self, dict: Value<'a>) -> Option<BTreeMap<&'a str, TensorParts<'a>>> {
        let Some(Object::Dict(entries)) = self.object(dict) else {
            return None;
        };
        if entries.len() > TENSORS_MAX {
            return None;
        }
        let tensors: Option<BTreeMap<_, _>> = entries
            .iter()
            .map(|(key, value)| match self.object(*value) {
                Some(Object::Tensor(tensor)) => Some((key.as_name()?, tensor.clone())),
                _ => None,
            })
            .collect();
        tensors.filter(|tensors| !tensors.is_empty())
    }
}
