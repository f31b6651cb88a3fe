"""Writes JPEGs scan by scan: any sampling factors, any order of scans, sequential or progressive. Simple codes, small
images. Needs numpy."""

import struct

import numpy as np

ZIGZAG = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
    35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47,
    55, 62, 63,
]  # fmt: skip
# Codes of one length: 12 of 4 bits for differences, 255 of 8 bits for all other symbols.
DC = (4, list(range(12)))
AC = (8, list(range(255)))
JFIF = b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"


def adobe(transform):
    return b"Adobe\0\x64\0\0\0\0" + bytes([transform])


def segment(code, content):
    return struct.pack(">BBH", 0xFF, code, len(content) + 2) + content


def huffman_table(kind, number, lengths, symbols):
    return segment(0xC4, bytes([kind << 4 | number]) + bytes(lengths) + bytes(symbols))


def flat_tables():
    def table(kind, number, length, symbols):
        lengths = [0] * 16
        lengths[length - 1] = len(symbols)
        return huffman_table(kind, number, lengths, symbols)

    return table(0, 0, *DC) + table(1, 0, *AC)


class Bits:
    """Collects bits, and stuffs a zero in after each 0xFF."""

    def __init__(self):
        self.value, self.count = 0, 0
        self.data = bytearray()

    def put(self, value, count):
        self.value = self.value << count | value & (1 << count) - 1
        self.count += count
        while self.count >= 8:
            self.count -= 8
            byte = self.value >> self.count & 0xFF
            self.data += b"\xff\0" if byte == 0xFF else bytes([byte])
        self.value &= (1 << self.count) - 1

    def flush(self):
        if self.count:
            self.put((1 << 8 - self.count) - 1, 8 - self.count)

    def restart(self, number):
        self.flush()
        self.data += bytes([0xFF, 0xD0 | number])

    def number(self, value, size):
        self.put(value if value >= 0 else value + (1 << size) - 1, size)


class Image:
    """Quantised coefficients of components with sampling factors."""

    def __init__(self, planes, factors, step=12):
        """`planes`: one array of samples per component, all of the image's size."""
        self.height, self.width = planes[0].shape
        self.factors = factors
        self.across = max(h for h, _ in factors)
        self.down = max(v for _, v in factors)
        self.units = -(-self.width // (8 * self.across))
        self.unit_rows = -(-self.height // (8 * self.down))
        self.steps = np.clip(step + np.add.outer(np.arange(8), np.arange(8)) * step // 4, 1, 255)
        self.blocks = [self.transform(plane, *factor) for plane, factor in zip(planes, factors)]

    def transform(self, plane, across, down):
        rows, columns = self.unit_rows * down * 8, self.units * across * 8
        y = np.minimum(np.arange(rows) * self.down // down, self.height - 1)
        x = np.minimum(np.arange(columns) * self.across // across, self.width - 1)
        samples = plane[np.ix_(y, x)].astype(float) - 128
        k, n = np.arange(8)[:, None], np.arange(8)[None]
        basis = np.cos((2 * n + 1) * k * np.pi / 16) / 2
        basis[0] /= np.sqrt(2)
        blocks = samples.reshape(rows // 8, 8, columns // 8, 8).transpose(0, 2, 1, 3)
        return np.rint(basis @ blocks @ basis.T / self.steps).astype(int).reshape(rows // 8, columns // 8, 64)

    def units_of(self, components):
        """Per unit of a scan, the blocks in their order: component, row and column."""
        if len(components) == 1:
            (c,) = components
            h, v = self.factors[c]
            rows = -(-self.height * v // (8 * self.down))
            columns = -(-self.width * h // (8 * self.across))
            return [[(c, row, column)] for row in range(rows) for column in range(columns)]
        return [
            [
                (c, unit_row * self.factors[c][1] + y, unit * self.factors[c][0] + x)
                for c in components
                for y in range(self.factors[c][1])
                for x in range(self.factors[c][0])
            ]
            for unit_row in range(self.unit_rows)
            for unit in range(self.units)
        ]

    def block(self, place):
        c, row, column = place
        return [int(self.blocks[c][row, column, at]) for at in ZIGZAG]


def flat_code(bits, symbol, table):
    bits.put(table[1].index(symbol), table[0])


def difference(bits, value, before):
    size = abs(value - before).bit_length()
    flat_code(bits, size, DC)
    bits.number(value - before, size)


def sequential(image, components, restart=0):
    bits, before = Bits(), {}
    for index, unit in enumerate(image.units_of(components)):
        if restart and index and index % restart == 0:
            bits.restart((index // restart - 1) % 8)
            before = {}
        for place in unit:
            block = image.block(place)
            difference(bits, block[0], before.get(place[0], 0))
            before[place[0]] = block[0]
            last = max((k for k in range(1, 64) if block[k]), default=0)
            run = 0
            for k in range(1, last + 1):
                if block[k] == 0:
                    run += 1
                    continue
                while run > 15:
                    flat_code(bits, 0xF0, AC)
                    run -= 16
                size = abs(block[k]).bit_length()
                flat_code(bits, run << 4 | size, AC)
                bits.number(block[k], size)
                run = 0
            if last < 63:
                flat_code(bits, 0, AC)
    bits.flush()
    return bytes(bits.data)


def shifted(value, shift):
    """Towards zero."""
    return value >> shift if value >= 0 else -(-value >> shift)


def progressive(image, components, first, last, refined_from, shift, restart=0):
    bits, before = Bits(), {}
    ended, corrections = 0, []

    def end_band():
        nonlocal ended, corrections
        if ended:
            size = ended.bit_length() - 1
            flat_code(bits, size << 4, AC)
            bits.put(ended, size)
            for bit in corrections:
                bits.put(bit, 1)
            ended, corrections = 0, []

    for index, unit in enumerate(image.units_of(components)):
        if restart and index and index % restart == 0:
            end_band()
            bits.restart((index // restart - 1) % 8)
            before = {}
        for place in unit:
            block = image.block(place)
            if first == 0:
                if refined_from:
                    bits.put(block[0] >> shift, 1)
                else:
                    value = block[0] >> shift
                    difference(bits, value, before.get(place[0], 0))
                    before[place[0]] = value
                continue
            values = [shifted(value, shift) for value in block]
            old = [bool(refined_from and shifted(value, refined_from)) for value in block]
            new = [k for k in range(first, last + 1) if values[k] and not old[k]]
            run, pending = 0, []
            for k in range(first, (new[-1] if new else first - 1) + 1):
                if old[k]:
                    pending.append(abs(values[k]) & 1)
                    continue
                if not values[k]:
                    run += 1
                    if run == 16:
                        end_band()
                        flat_code(bits, 0xF0, AC)
                        for bit in pending:
                            bits.put(bit, 1)
                        run, pending = 0, []
                    continue
                end_band()
                size = 1 if refined_from else abs(values[k]).bit_length()
                flat_code(bits, run << 4 | size, AC)
                if refined_from:
                    bits.put(values[k] > 0, 1)
                else:
                    bits.number(values[k], size)
                for bit in pending:
                    bits.put(bit, 1)
                run, pending = 0, []
            behind = new[-1] + 1 if new else first
            if behind <= last:
                ended += 1
                corrections += [abs(values[k]) & 1 for k in range(behind, last + 1) if old[k]]
            if ended == 0x7FFF or len(corrections) > 900:
                end_band()
    end_band()
    bits.flush()
    return bytes(bits.data)


def file(image, scans, applications=((0xE0, JFIF),), ids=None, process=None, restart=0, tables=None, coded=None):
    """`scans`: of each its components, and (first, last, refined from, shift) if it is progressive. `coded`: the bytes of
    a single scan, if they are not the usual ones."""
    ids = ids or list(range(1, len(image.factors) + 1))
    is_progressive = len(scans[0]) > 1
    process = process if process is not None else (0xC2 if is_progressive else 0xC1)
    data = b"\xff\xd8" + b"".join(segment(*application) for application in applications)
    data += segment(0xDB, b"\0" + bytes(int(image.steps.flatten()[at]) for at in ZIGZAG))
    frame = struct.pack(">BHHB", 8, image.height, image.width, len(ids))
    for name, (h, v) in zip(ids, image.factors):
        frame += bytes([name, h << 4 | v, 0])
    data += segment(process, frame) + (flat_tables() if tables is None else tables)
    if restart:
        data += segment(0xDD, struct.pack(">H", restart))
    for components, *parameters in scans:
        first, last, refined_from, shift = parameters or (0, 63, 0, 0)
        header = bytes([len(components)]) + b"".join(bytes([ids[c], 0]) for c in components)
        data += segment(0xDA, header + bytes([first, last, refined_from << 4 | shift]))
        if coded is not None:
            data += coded
        elif is_progressive:
            data += progressive(image, components, first, last, refined_from, shift, restart)
        else:
            data += sequential(image, components, restart)
    return data + b"\xff\xd9"


def largest_blocks(image):
    """One scan of codes of 16 bits and values of 15. Some differences have 2 and 14, so that blocks begin anywhere. Needs
    steps of 4: more than 16 bits of a product are lost, so that 4 times 16384 adds nothing to a coefficient."""
    tables = huffman_table(0, 0, [0, 1] + [0] * 13 + [1], [14, 15]) + huffman_table(1, 0, [0] * 15 + [1], [15])
    components = tuple(range(len(image.factors)))
    places = [place for unit in image.units_of(components) for place in unit]
    bits, before = Bits(), {}
    for number, place in enumerate(places):
        first, *others = image.block(place)
        difference = first - before.get(place[0], 0)
        is_short = number % 3 == 0 and difference > 0
        bits.put(*((0b00, 2) if is_short else (0b01 << 14, 16)))
        bits.number(difference + (-1 << 14 if is_short or difference < 0 else 1 << 14), 15 - is_short)
        before[place[0]] = first
        for value in others:
            bits.put(0, 16)
            bits.number(value + (1 << 14 if value >= 0 else -1 << 14), 15)
    bits.flush()
    return file(image, [(components,)], tables=tables, coded=bytes(bits.data))


def runs_beyond_band(image, first, last):
    """A scan of the lowest bits of a grey image's coefficients, where each block's only run is 15."""
    bits = Bits()
    for (place,) in image.units_of((0,)):
        block = image.block(place)
        flat_code(bits, 15 << 4 | 1, AC)
        bits.put(1, 1)
        for k in range(first, last + 1):
            if shifted(block[k], 1):
                bits.put(abs(block[k]) & 1, 1)
    bits.flush()
    return bytes(bits.data)


def script(count):
    """A usual order of progressive scans: for each coefficient two bits come last, one by one."""
    everything = tuple(range(count))
    yield everything, 0, 0, 0, 2
    yield everything, 0, 0, 2, 1
    for c in everything:
        yield (c,), 1, 5, 0, 2
    for c in reversed(everything):
        yield (c,), 6, 63, 0, 2
    for c in everything:
        yield (c,), 1, 63, 2, 1
    yield everything, 0, 0, 1, 0
    for c in everything:
        yield (c,), 1, 63, 1, 0
