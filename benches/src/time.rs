//! Measures time: all stages in turn, and the best tenth of each. Only the ratios are meaningful.

use std::time::Instant;

use crate::stage::Stage;

/// The number of requests in a stage's turn.
const REQUESTS: usize = 50;

/// Returns the nanoseconds per request of each stage, after this many rounds.
#[expect(clippy::cast_precision_loss, reason = "few requests")]
pub(crate) fn measure(stages: &[Stage], rounds: usize) -> Vec<f64> {
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); stages.len()];
    for _ in 0..rounds {
        for (stage, times) in stages.iter().zip(&mut times) {
            let requests: Vec<_> = (0..REQUESTS).map(|_| stage.request()).collect();
            let start = Instant::now();
            for request in requests {
                stage.serve(request);
            }
            times.push(start.elapsed().as_secs_f64() * 1e9 / REQUESTS as f64);
        }
    }
    times.iter_mut().map(|times| best_decile(times)).collect()
}

pub(crate) fn best_decile(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 10]
}

pub(crate) fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
