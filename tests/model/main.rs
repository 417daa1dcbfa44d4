//! A model of logins beside the real site: random histories, and after every step the same view
//! for every browser and every thief.
//!
//! `MODEL_STEPS=100000 cargo test --release --test model -- --nocapture` for the long run; `MODEL_SEED` repeats one.

#[path = "../common/mod.rs"]
mod common;
mod history;
mod model;
#[path = "../../login-runtime/src/revocation/replicated/seed.rs"]
mod seed;
mod site;

use std::cell::Cell;

use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};

use crate::common::START;
use crate::history::{Browser, History, histories};
use crate::model::Model;
use crate::seed::seed;
use crate::site::Site;

/// The longest history.
const LONGEST: usize = 60;

/// Runs a history on both sides until they differ.
fn play(history: &History) -> Result<(), TestCaseError> {
    let mut model = Model::new(history.rules.clone(), START);
    let mut site = Site::start(&history.rules);
    for (number, step) in history.steps.iter().enumerate() {
        let (expected, answered) = (model.take(step), site.take(step));
        if expected != answered {
            return Err(TestCaseError::fail(format!(
                "step {number}, {step:?}: {expected} expected, answered {answered}"
            )));
        }
        for browser in Browser::ALL {
            let (expected, seen) = (model.clone().look(browser), site.look(browser));
            if expected != seen {
                return Err(TestCaseError::fail(format!(
                    "{browser:?} after step {number}, {step:?}:\n  expected {expected:?}\n  and sees {seen:?}"
                )));
            }
        }
    }
    Ok(())
}

#[test]
fn the_site_does_what_the_model_says() {
    let wanted = std::env::var("MODEL_STEPS").map_or(600, |steps| steps.parse().unwrap());
    let (steps, stories) = (Cell::new(0), Cell::new(0));
    let seed = seed();
    for round in 0.. {
        if steps.get() >= wanted {
            break;
        }
        let config = Config {
            cases: 8,
            max_shrink_iters: 5_000,
            failure_persistence: None,
            rng_seed: RngSeed::Fixed(seed.wrapping_add(round)),
            ..Config::default()
        };
        let result = TestRunner::new(config).run(&histories(LONGEST), |history| {
            steps.set(steps.get() + history.steps.len());
            stories.set(stories.get() + 1);
            play(&history)
        });
        match result {
            Ok(()) => {}
            Err(TestError::Fail(why, history)) => {
                panic!("the shortest history that differs: {why}\n{history:?}")
            }
            Err(TestError::Abort(why)) => panic!("{why}"),
        }
    }
    println!("{} steps in {} histories", steps.get(), stories.get());
}
