//! What a response carries: the answer to a denial, login cookies, flashed messages.

pub(crate) mod answer;
pub(crate) mod cookies;
pub(crate) mod flash;
