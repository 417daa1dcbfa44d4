//! Time, of which only ratios mean anything: all scenes in turn, and of each its best tenth.

use std::time::Instant;

use crate::scene::{ENDED, Scene, Stage};

const ROUNDS: usize = 400;
const REQUESTS: usize = 50;

/// Nanoseconds per request, of each scene.
#[expect(clippy::cast_precision_loss, reason = "few requests")]
pub(crate) fn measure(scenes: &[Scene]) -> Vec<f64> {
    let stages: Vec<_> = scenes
        .iter()
        .map(|scene| Stage::new(*scene, ENDED))
        .collect();
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); scenes.len()];
    for _ in 0..ROUNDS {
        for (stage, times) in stages.iter().zip(&mut times) {
            let requests: Vec<_> = (0..REQUESTS).map(|_| stage.request()).collect();
            let start = Instant::now();
            for request in requests {
                stage.serve(request);
            }
            times.push(start.elapsed().as_secs_f64() * 1e9 / REQUESTS as f64);
        }
    }
    times.into_iter().map(best_decile).collect()
}

fn best_decile(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 10]
}
