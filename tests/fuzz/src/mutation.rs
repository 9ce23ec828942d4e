//! Mutations of inputs.

use std::ops::Range;

use auth_tests::random::Random;

/// The maximum length of an input, in bytes.
pub const MAX_LENGTH: usize = 64 * 1024;

/// Numbers at the borders of types, and of formats of time.
const NUMBERS: [&str; 14] = [
    "0",
    "1",
    "-1",
    "255",
    "256",
    "65536",
    "2147483648",
    "4294967296",
    "9223372036854775808",
    "18446744073709551616",
    "1e400",
    "0.5",
    "00000000000000000001",
    "253402300800",
];

/// Bytes with a meaning in some format, and letters of several bytes.
const TEXTS: [&str; 40] = [
    " ", "\t", "\n", "\r\n", ",", ";", ":", "=", "\"", "'", "\\", "/", "//", ".", "..", "%", "%2f",
    "%00", "%", "&", "?", "#", "{", "}", "[", "]", "(", ")", "<", ">", "*", "@", "~", "+", "-",
    "\0", "\u{7f}", "é", "\u{202e}", "😀",
];

/// Returns a mutation of one of `inputs`, which are not empty.
pub fn mutate(random: &mut Random, inputs: &[Vec<u8>], dictionary: &[&str]) -> Vec<u8> {
    let mut input = random.pick(inputs).clone();
    loop {
        mutate_once(random, &mut input, inputs, dictionary);
        input.truncate(MAX_LENGTH);
        // Two mutations on average.
        if random.below(2) == 0 {
            return input;
        }
    }
}

fn mutate_once(random: &mut Random, input: &mut Vec<u8>, inputs: &[Vec<u8>], dictionary: &[&str]) {
    let at = random.below(input.len() + 1);
    match random.below(16) {
        0 => {
            if let Some(byte) = input.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
        1 => {
            if let Some(byte) = input.get_mut(at) {
                *byte = random.next() as u8;
            }
        }
        2 => insert(input, at, random.pick(&TEXTS).as_bytes()),
        3..=5 if !dictionary.is_empty() => insert(input, at, random.pick(dictionary).as_bytes()),
        6 if !dictionary.is_empty() => {
            let range = range(random, input);
            input.splice(range, random.pick(dictionary).bytes());
        }
        7 => {
            let range = range(random, input);
            input.drain(range);
        }
        8 => {
            let range = range(random, input);
            let copy = input[range].to_vec();
            insert(input, at, &copy);
        }
        9 => {
            let other = random.pick(inputs);
            let copy = other[range(random, other)].to_vec();
            insert(input, at, &copy);
        }
        // The beginning of this input, and the end of another.
        10 => {
            let other = random.pick(inputs);
            input.truncate(at);
            input.extend_from_slice(&other[random.below(other.len() + 1)..]);
        }
        11 => change_number(random, input, at),
        12 => change_lines(random, input),
        13 => {
            if let Some(byte) = input.get_mut(at) {
                *byte ^= 0x20;
            }
        }
        // The bounds of parsers: some thousand repetitions.
        14 if random.below(8) == 0 => {
            let range = range(random, input);
            let unit = input[range].to_vec();
            let times = 1 << random.below(13);
            insert(
                input,
                at,
                &unit.repeat(times.min(MAX_LENGTH / unit.len().max(1))),
            );
        }
        _ => {
            let range = range(random, input);
            input[range].reverse();
        }
    }
}

fn insert(input: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    input.splice(at..at, bytes.iter().copied());
}

/// Returns a range, most often a short one.
fn range(random: &mut Random, input: &[u8]) -> Range<usize> {
    let start = random.below(input.len() + 1);
    let longest = if random.below(4) == 0 { input.len() } else { 8 };
    let length = random.below(longest.min(input.len() - start) + 1);
    start..start + length
}

/// Replaces the first number from `at` on.
fn change_number(random: &mut Random, input: &mut Vec<u8>, at: usize) {
    let Some(start) = input[at..].iter().position(u8::is_ascii_digit) else {
        return;
    };
    let start = at + start;
    let rest = input[start..].iter();
    let length = rest.take_while(|byte| byte.is_ascii_digit()).count();
    input.splice(start..start + length, random.pick(&NUMBERS).bytes());
}

/// Repeats, removes or moves a line.
fn change_lines(random: &mut Random, input: &mut Vec<u8>) {
    let mut lines: Vec<&[u8]> = input.split(|byte| *byte == b'\n').collect();
    let (one, other) = (random.below(lines.len()), random.below(lines.len()));
    match random.below(3) {
        0 => lines.insert(other, lines[one]),
        1 => {
            lines.remove(one);
        }
        _ => lines.swap(one, other),
    }
    *input = lines.join(&b'\n');
}
