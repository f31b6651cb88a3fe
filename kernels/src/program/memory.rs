//! Which values share a buffer: those that are never needed at the same time.

/// What a step reads and writes.
pub(super) struct Access {
    pub(super) inputs: Vec<usize>,
    pub(super) output: usize,
}

/// The buffer of each value, and the length of each buffer.
pub(super) struct Memory {
    pub(super) slot_of: Vec<usize>,
    pub(super) slots: Vec<usize>,
}

/// Plans the buffers of `lengths.len()` values. `input` is there before the first step, `kept` are needed after the last.
pub(super) fn plan(steps: &[Access], lengths: &[usize], input: usize, kept: &[usize]) -> Memory {
    let mut last_use = vec![0; lengths.len()];
    for (i, step) in steps.iter().enumerate() {
        last_use[step.output] = last_use[step.output].max(i);
        for value in &step.inputs {
            last_use[*value] = i;
        }
    }
    for value in kept {
        last_use[*value] = usize::MAX;
    }
    let mut memory = Memory {
        slot_of: vec![usize::MAX; lengths.len()],
        slots: Vec::new(),
    };
    let mut free = Vec::new();
    memory.take(input, lengths[input], &mut free);
    for (i, step) in steps.iter().enumerate() {
        memory.take(step.output, lengths[step.output], &mut free);
        let mut done: Vec<_> = step.inputs.iter().copied().chain([step.output]).collect();
        done.sort_unstable();
        done.dedup();
        free.extend(
            done.into_iter()
                .filter(|value| last_use[*value] == i)
                .map(|value| memory.slot_of[value]),
        );
    }
    memory
}

impl Memory {
    /// Gives `value` the free buffer that fits best: the smallest that is long enough, or else the longest, which grows.
    fn take(&mut self, value: usize, len: usize, free: &mut Vec<usize>) {
        let by_fit = |slot: &usize| {
            let has = self.slots[*slot];
            if has >= len {
                (0, has)
            } else {
                (1, usize::MAX - has)
            }
        };
        let best = free
            .iter()
            .enumerate()
            .min_by_key(|(_, slot)| by_fit(slot))
            .map(|(i, _)| i);
        let slot = match best {
            Some(i) => free.swap_remove(i),
            None => {
                self.slots.push(0);
                self.slots.len() - 1
            }
        };
        self.slots[slot] = self.slots[slot].max(len);
        self.slot_of[value] = slot;
    }
}
