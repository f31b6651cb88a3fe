//! The stack machine that a pickle is a program for. `torch.save` writes protocol 2.

use std::collections::HashMap;

use super::Pickle;
use super::object::{Called, Object, Objects, Value};

/// Instructions, at most. Each allocates about a hundred bytes; the weights and the optimiser's state of 300 tensors take 50,000.
const INSTRUCTIONS_MAX: usize = 1 << 18;

/// Reads the pickle at the beginning of `bytes`.
///
/// # Errors
/// If it is cut off, too long, or has an instruction that `torch.save` does not write.
pub(in super::super) fn read(bytes: &[u8]) -> Result<Pickle<'_>, String> {
    let mut machine = Machine {
        bytes,
        at: 0,
        stack: Vec::new(),
        memo: HashMap::new(),
        objects: Objects(Vec::new()),
    };
    for _ in 0..INSTRUCTIONS_MAX {
        let instruction = machine.step();
        match instruction.ok_or("a pickle in it is cut off or damaged")? {
            Step::Done(top) => {
                return Ok(Pickle {
                    objects: machine.objects.0,
                    top,
                    bytes: machine.at,
                });
            }
            Step::Next => {}
            Step::Unknown(opcode) => {
                return Err(format!(
                    "a pickle in it has the instruction {opcode:#04x}: write it with torch.save and its default protocol"
                ));
            }
        }
    }
    Err("a pickle in it is too long".to_owned())
}

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    stack: Vec<Value<'a>>,
    memo: HashMap<u32, Value<'a>>,
    objects: Objects<'a>,
}

enum Step<'a> {
    Next,
    Done(Value<'a>),
    Unknown(u8),
}

impl<'a> Machine<'a> {
    /// One instruction; `None` if the pickle ends within it or an operand is missing.
    fn step(&mut self) -> Option<Step<'a>> {
        let [opcode] = self.take()?;
        match opcode {
            b'.' => return Some(Step::Done(self.pop()?)),
            // PROTO
            0x80 => {
                let [_version] = self.take()?;
            }
            b'(' => self.stack.push(Value::Mark),
            b'0' => {
                self.pop()?;
            }
            b'N' => self.stack.push(Value::None),
            // NEWTRUE, NEWFALSE
            0x88 | 0x89 => self.stack.push(Value::Other),
            b'K' | b'M' | b'J' | 0x8a | b'G' => {
                let number = self.number(opcode)?;
                self.stack.push(number);
            }
            // BINUNICODE, SHORT_BINSTRING, BINSTRING
            b'X' | b'U' | b'T' => {
                let string = self.string(opcode)?;
                self.stack.push(string);
            }
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.push(Object::Global(module, name));
            }
            b'q' | b'r' | b'h' | b'j' => self.remember(opcode)?,
            b')' | b't' | 0x85 | 0x86 | 0x87 => self.tuple(opcode)?,
            b']' => self.push(Object::List(Vec::new())),
            b'}' => self.push(Object::Dict(Vec::new())),
            b'a' | b'e' | b's' | b'u' => self.fill(opcode)?,
            // BINPERSID
            b'Q' => {
                let identity = self.pop()?;
                match self.objects.storage(identity) {
                    Some(storage) => self.push(Object::Storage(storage)),
                    None => self.stack.push(Value::Other),
                }
            }
            // REDUCE, NEWOBJ
            b'R' | 0x81 => {
                let (arguments, function) = (self.pop()?, self.pop()?);
                match self.objects.call(function, arguments) {
                    Called::New(object) => self.push(object),
                    Called::Same(value) => self.stack.push(value),
                    Called::Other => self.stack.push(Value::Other),
                }
            }
            // BUILD sets attributes, which nothing here has.
            b'b' => {
                self.pop()?;
            }
            other => return Some(Step::Unknown(other)),
        }
        Some(Step::Next)
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let taken = *self.bytes.get(self.at..)?.first_chunk()?;
        self.at += N;
        Some(taken)
    }

    fn take_slice(&mut self, len: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(len)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn line(&mut self) -> Option<&'a str> {
        let rest = self.bytes.get(self.at..)?;
        let len = rest.iter().position(|byte| *byte == b'\n')?;
        self.at += len + 1;
        std::str::from_utf8(&rest[..len]).ok()
    }

    fn number(&mut self, opcode: u8) -> Option<Value<'a>> {
        Some(match opcode {
            b'K' => Value::Int(self.take::<1>()?[0].into()),
            b'M' => Value::Int(u16::from_le_bytes(self.take()?).into()),
            b'J' => Value::Int(i32::from_le_bytes(self.take()?).into()),
            b'G' => {
                self.take::<8>()?;
                Value::Other
            }
            // LONG1: little-endian two's complement; those over 8 bytes are not sizes.
            _ => {
                let [len] = self.take()?;
                let digits = self.take_slice(len.into())?;
                let mut bytes = [0; 8];
                match (digits.last(), bytes.get_mut(..digits.len())) {
                    (Some(last), Some(low)) => {
                        low.copy_from_slice(digits);
                        let sign = if last & 0x80 == 0 { 0 } else { 0xFF };
                        bytes[digits.len()..].fill(sign);
                        Value::Int(i64::from_le_bytes(bytes))
                    }
                    (None, _) => Value::Int(0),
                    (Some(_), None) => Value::Other,
                }
            }
        })
    }

    fn string(&mut self, opcode: u8) -> Option<Value<'a>> {
        let len = match opcode {
            b'U' => self.take::<1>()?[0].into(),
            _ => usize::try_from(u32::from_le_bytes(self.take()?)).ok()?,
        };
        let string = self.take_slice(len)?;
        Some(std::str::from_utf8(string).map_or(Value::Other, Value::Str))
    }

    /// BINPUT and LONG_BINPUT, BINGET and LONG_BINGET.
    fn remember(&mut self, opcode: u8) -> Option<()> {
        let index = match opcode {
            b'q' | b'h' => self.take::<1>()?[0].into(),
            _ => u32::from_le_bytes(self.take()?),
        };
        if matches!(opcode, b'q' | b'r') {
            let top = *self.stack.last()?;
            self.memo.insert(index, top);
        } else {
            let value = *self.memo.get(&index)?;
            self.stack.push(value);
        }
        Some(())
    }

    /// EMPTY_TUPLE, TUPLE, TUPLE1 to TUPLE3.
    fn tuple(&mut self, opcode: u8) -> Option<()> {
        let items = match opcode {
            b')' => Vec::new(),
            b't' => self.pop_to_mark()?,
            _ => {
                let from = self.stack.len().checked_sub((opcode - 0x84).into())?;
                self.stack.split_off(from)
            }
        };
        self.push(Object::Tuple(items));
        Some(())
    }

    /// APPEND, APPENDS, SETITEM, SETITEMS.
    fn fill(&mut self, opcode: u8) -> Option<()> {
        let items = match opcode {
            b'a' => vec![self.pop()?],
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                vec![key, value]
            }
            _ => self.pop_to_mark()?,
        };
        let Value::Object(index) = *self.stack.last()? else {
            return Some(());
        };
        match self.objects.0.get_mut(index)? {
            Object::List(list) => list.extend(items),
            Object::Dict(entries) => {
                let (pairs, _) = items.as_chunks();
                entries.extend(pairs.iter().map(|[key, value]| (*key, *value)));
            }
            _ => {}
        }
        Some(())
    }

    fn push(&mut self, object: Object<'a>) {
        let value = self.objects.add(object);
        self.stack.push(value);
    }

    fn pop(&mut self) -> Option<Value<'a>> {
        self.stack.pop()
    }

    fn pop_to_mark(&mut self) -> Option<Vec<Value<'a>>> {
        let is_mark = |value: &Value<'_>| matches!(value, Value::Mark);
        let mark = self.stack.iter().rposition(is_mark)?;
        let items = self.stack.split_off(mark + 1);
        self.stack.pop();
        Some(items)
    }
}
