//! The table: medians, and what each application costs more than the plain one of its framework.

use crate::apps::ROCKET_LOGIN;
use crate::rounds::Measured;

/// Prints the table.
pub(crate) fn print(measured: &[Measured]) {
    let named = |name: &str| {
        let mut measured = measured.iter();
        let found = measured.find(|measured| measured.app.name == name);
        found.expect("an application that was measured")
    };
    // Compared round by round, because a slow phase of the machine is slow for both.
    let beside_plain = |of: &Measured, compare: fn(f64, f64) -> f64| {
        let plain = named(of.app.plain);
        let pairs = of.samples.iter().zip(&plain.samples);
        Quartiles::of(pairs.map(|(sample, plain)| compare(sample.cpu, plain.cpu)))
    };
    let over = |of: &Measured| beside_plain(of, |cpu, plain| cpu - plain);
    // Not relative to the hand-written guard, whose cost is too small to divide by.
    let ours = over(named(ROCKET_LOGIN)).median;
    println!(
        "| application | requests/s | CPU, µs a request | of plain | over plain, µs \
         | of rocket-login's | in half of the rounds |"
    );
    println!("| --- |{}", " ---: |".repeat(6));
    for of in measured {
        let wall = Quartiles::of(of.samples.iter().map(|sample| sample.wall));
        let cpu = Quartiles::of(of.samples.iter().map(|sample| sample.cpu));
        let over = over(of);
        println!(
            "| {} | {:.0} | {:.2} | {:.2} | {:+.2} | {:.2} | {:.2} to {:.2} |",
            of.app.name,
            1e6 / wall.median,
            cpu.median,
            beside_plain(of, |cpu, plain| cpu / plain).median,
            over.median,
            over.median / ours,
            over.lower / ours,
            over.upper / ours,
        );
    }
}

struct Quartiles {
    lower: f64,
    median: f64,
    upper: f64,
}

impl Quartiles {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<_> = values.collect();
        values.sort_by(f64::total_cmp);
        let at = |quarter| values[values.len() * quarter / 4];
        Quartiles {
            lower: at(1),
            median: at(2),
            upper: at(3),
        }
    }
}
