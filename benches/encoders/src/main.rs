//! Milliseconds for a text of so many tokens, on one thread, without cutting it into tokens:
//!
//! ```sh
//! RAYON_NUM_THREADS=1 cargo run --release --manifest-path benches/encoders/Cargo.toml -- target/models
//! ```

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use candle_transformers::models::bert::{BertModel, Config};
use rten_tensor::NdTensor;
use tract_onnx::prelude::*;

type Run = Box<dyn FnMut()>;
type Failed = Box<dyn std::error::Error + Send + Sync>;

const ROUNDS: usize = 200;
const WARM_UP: usize = 20;
const TOKENS: [usize; 3] = [16, 64, 128];
/// Any word.
const TOKEN: u32 = 3413;

fn main() {
    let models = std::env::args().nth(1).expect("the folder of models");
    let models = Path::new(&models);
    let (int8, f32) = (models.join("minilm-int8/model.onnx"), models.join("minilm"));
    for tokens in TOKENS {
        let runs: [(&str, Result<Run, Failed>); 3] =
            [("rten, int8", rten(&int8, tokens)), ("tract, int8", tract(&int8, tokens)), ("candle, f32", candle(&f32, tokens))];
        for (name, run) in runs {
            match run {
                Ok(run) => measure(name, tokens, run),
                Err(error) => println!("{tokens:>4} tokens, {name}: {}", error.to_string().lines().next().unwrap_or("failed")),
            }
        }
    }
}

fn measure(name: &str, tokens: usize, mut run: Run) {
    let mut times: Vec<f64> = (0..WARM_UP + ROUNDS)
        .map(|_| {
            let begun = Instant::now();
            run();
            begun.elapsed().as_secs_f64() * 1e3
        })
        .skip(WARM_UP)
        .collect();
    times.sort_by(f64::total_cmp);
    let at = |share: usize| times[(times.len() - 1) * share / 100];
    println!("{tokens:>4} tokens, {name}: p50 {:.1} ms, p95 {:.1} ms", at(50), at(95));
}

fn rten(path: &Path, tokens: usize) -> Result<Run, Failed> {
    let model = rten::Model::load_file(path)?;
    let threads = Arc::new(rten::ThreadPool::with_num_threads(1));
    Ok(Box::new(move || {
        let input = |value: i32| NdTensor::full([1, tokens], value).into();
        let inputs = model.input_ids().iter().zip([TOKEN as i32, 1, 0]).map(|(node, value)| (*node, input(value)));
        let options = rten::RunOptions::default().with_thread_pool(Some(threads.clone()));
        model.run(inputs.collect(), model.output_ids(), Some(options)).expect("an answer");
    }))
}

fn tract(path: &Path, tokens: usize) -> Result<Run, Failed> {
    let mut model = tract_onnx::onnx().model_for_path(path)?;
    for input in 0..3 {
        model.set_input_fact(input, i64::fact([1, tokens]).into())?;
    }
    let model = model.into_optimized()?.into_runnable()?;
    Ok(Box::new(move || {
        let input = |value: i64| {
            let values = tract_ndarray::Array2::from_elem((1, tokens), value);
            Tensor::from(values).into()
        };
        model.run(tvec!(input(TOKEN.into()), input(1), input(0))).expect("an answer");
    }))
}

fn candle(folder: &Path, tokens: usize) -> Result<Run, Failed> {
    use candle_core::{DType, Device, Tensor};
    let config: Config = serde_json::from_slice(&std::fs::read(folder.join("config.json"))?)?;
    let weights = std::fs::read(folder.join("model.safetensors"))?;
    let weights = candle_nn::VarBuilder::from_buffered_safetensors(weights, DType::F32, &Device::Cpu)?;
    let model = BertModel::load(weights, &config)?;
    let ids = Tensor::full(TOKEN, (1, tokens), &Device::Cpu)?;
    let types = ids.zeros_like()?;
    Ok(Box::new(move || {
        model.forward(&ids, &types, None).expect("an answer");
    }))
}
