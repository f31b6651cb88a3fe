//! What a pickle can make.

use super::{NAME_BYTES_MAX, Storage, TensorParts};
use crate::tensor::{AXES_MAX, ElementType};

/// What is on the stack.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'a> {
    /// Where a list of operands begins.
    Mark,
    None,
    Int(i64),
    Str(&'a str),
    Object(usize),
    /// Something that is not needed: a fraction, a function, an instance of a class.
    Other,
}

/// What has parts.
#[derive(Debug)]
pub(super) enum Object<'a> {
    Tuple(Vec<Value<'a>>),
    List(Vec<Value<'a>>),
    Dict(Vec<(Value<'a>, Value<'a>)>),
    /// Module and name.
    Global(&'a str, &'a str),
    Storage(Storage<'a>),
    Tensor(TensorParts<'a>),
}

impl<'a> Value<'a> {
    pub(super) fn as_str(self) -> Option<&'a str> {
        match self {
            Self::Str(string) => Some(string),
            _ => None,
        }
    }

    /// A string that is short enough to be the name of a tensor or storage.
    pub(super) fn as_name(self) -> Option<&'a str> {
        self.as_str().filter(|name| name.len() <= NAME_BYTES_MAX)
    }

    pub(super) fn size(self) -> Option<usize> {
        match self {
            Self::Int(value) => usize::try_from(value).ok(),
            _ => None,
        }
    }
}

/// Looks up objects by value.
pub(super) struct Objects<'a>(pub(super) Vec<Object<'a>>);

impl<'a> Objects<'a> {
    pub(super) fn add(&mut self, object: Object<'a>) -> Value<'a> {
        self.0.push(object);
        Value::Object(self.0.len() - 1)
    }

    pub(super) fn get(&self, value: Value<'a>) -> Option<&Object<'a>> {
        match value {
            Value::Object(index) => self.0.get(index),
            _ => None,
        }
    }

    fn tuple(&self, value: Value<'a>) -> Option<&[Value<'a>]> {
        match self.get(value)? {
            Object::Tuple(items) => Some(items),
            _ => None,
        }
    }

    fn sizes(&self, value: Value<'a>) -> Option<Vec<usize>> {
        // Checked first: a pickle can use one long tuple many times.
        let items = self.tuple(value).filter(|it| it.len() <= AXES_MAX)?;
        items.iter().map(|item| item.size()).collect()
    }

    /// The result of a call: one of those that make tensors and dictionaries, or something that is not needed.
    pub(super) fn call(&self, function: Value<'a>, arguments: Value<'a>) -> Called<'a> {
        let (Some(Object::Global(module, name)), Some(arguments)) =
            (self.get(function), self.tuple(arguments))
        else {
            return Called::Other;
        };
        match (*module, *name, arguments) {
            ("collections", "OrderedDict", []) => Called::New(Object::Dict(Vec::new())),
            (
                "torch._utils",
                "_rebuild_tensor_v2" | "_rebuild_tensor",
                [storage, offset, shape, strides, ..],
            ) => {
                let tensor = self.tensor(*storage, *offset, *shape, *strides);
                tensor.map_or(Called::Other, |it| Called::New(Object::Tensor(it)))
            }
            ("torch._utils", "_rebuild_parameter", [tensor, ..]) => Called::Same(*tensor),
            _ => Called::Other,
        }
    }

    fn tensor(
        &self,
        storage: Value<'a>,
        offset: Value<'a>,
        shape: Value<'a>,
        strides: Value<'a>,
    ) -> Option<TensorParts<'a>> {
        let Object::Storage(storage) = self.get(storage)? else {
            return None;
        };
        Some(TensorParts {
            storage: *storage,
            offset: offset.size()?,
            shape: self.sizes(shape)?,
            strides: self.sizes(strides)?,
        })
    }

    /// `('storage', type, key, device, count)`, in old files then the part of another storage that it is, or `None`. Parts are
    /// not supported.
    pub(super) fn storage(&self, identity: Value<'a>) -> Option<Storage<'a>> {
        let [kind, element_type, key, _device, _count, part @ ..] = self.tuple(identity)? else {
            return None;
        };
        if !matches!(part, [] | [Value::None]) {
            return None;
        }
        let Object::Global("torch" | "torch.storage", name) = self.get(*element_type)? else {
            return None;
        };
        let element_type = match *name {
            "FloatStorage" => ElementType::F32,
            "HalfStorage" => ElementType::F16,
            "BFloat16Storage" => ElementType::BF16,
            "DoubleStorage" => ElementType::F64,
            "LongStorage" => ElementType::Other { bytes: 8 },
            "IntStorage" => ElementType::Other { bytes: 4 },
            "ShortStorage" => ElementType::Other { bytes: 2 },
            "CharStorage" | "ByteStorage" | "BoolStorage" => ElementType::Other { bytes: 1 },
            _ => return None,
        };
        let key = key.as_name()?;
        (kind.as_str() == Some("storage")).then_some(Storage { key, element_type })
    }
}

/// What a call made.
pub(super) enum Called<'a> {
    New(Object<'a>),
    Same(Value<'a>),
    Other,
}
