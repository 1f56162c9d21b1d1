//! The network of a BERT or an MPNet, written for weights that come without one: the operators in order, as ONNX, with
//! the weights where they are in their file.
//!
//! Texts come one at a time, so a network works on a matrix with a row for each token, and masks nothing.

mod safetensors;

use rten_onnx::onnx::{
    AttributeProto, AttributeType, DataLocation, DataType, GraphProto, ModelProto, NodeProto,
    OperatorSetIdProto, StringStringEntryProto, TensorProto, ValueInfoProto,
};
use serde::Deserialize;

use self::safetensors::{Kind, Tensor, Tensors};
use super::Unusable;

/// What the file of weights is called here: the runtime takes no name that does not look like data.
pub(super) const WEIGHTS: &str = "weights.data";
/// The operators are of this version.
const OPERATORS: i64 = 20;
const FORMAT: i64 = 10;
const LAYERS_MAX: usize = 64;
/// An MPNet looks up how far tokens are from each other in so many steps,
const STEPS: i64 = 32;
/// of which those that are further away than this share one.
const FAR: f64 = 128.0;
/// Its first positions are for what is no token.
const MPNET_POSITIONS_BEFORE: i64 = 2;

/// `config.json`, as far as it says what the network is.
#[derive(Deserialize)]
struct Config {
    model_type: String,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    hidden_size: usize,
    hidden_act: String,
    layer_norm_eps: f32,
    #[serde(default = "absolute")]
    position_embedding_type: String,
}

fn absolute() -> String {
    "absolute".to_owned()
}

/// The network of weights, as an ONNX file that refers to theirs.
///
/// # Errors
/// If it is of another kind than those known here, or a weight is missing or has another form.
pub(super) fn write(config: &[u8], weights: &[u8], tokens_max: usize) -> Result<Vec<u8>, Unusable> {
    let config: Config =
        serde_json::from_slice(config).map_err(|error| wrong(format!("config.json: {error}")))?;
    config.check()?;
    let mut network = Network { config, tensors: Tensors::read(weights)?, graph: GraphProto::default() };
    let names = Names::of(&network.config.model_type)?;
    network.write(&names, tokens_max as i64)?;
    let operators = OperatorSetIdProto { domain: None, version: Some(OPERATORS) };
    let model = ModelProto {
        ir_version: Some(FORMAT),
        graph: Some(network.graph),
        opset_import: vec![operators],
        ..ModelProto::default()
    };
    model.write_buf().map_err(|error| wrong(error.to_string()))
}

impl Config {
    fn check(&self) -> Result<(), Unusable> {
        let Config { hidden_size, num_attention_heads: heads, .. } = *self;
        if !(1..=LAYERS_MAX).contains(&self.num_hidden_layers) {
            return Err(wrong(format!("{} layers; 1 to {LAYERS_MAX}", self.num_hidden_layers)));
        }
        if heads == 0 || hidden_size == 0 || !hidden_size.is_multiple_of(heads) {
            return Err(wrong(format!("{hidden_size} components do not divide among {heads} heads")));
        }
        if self.hidden_act != "gelu" || self.position_embedding_type != "absolute" {
            let (act, position) = (&self.hidden_act, &self.position_embedding_type);
            return Err(wrong(format!(
                "activation `{act}`, positions `{position}`; known: `gelu`, `absolute`"
            )));
        }
        Ok(())
    }
}

/// What the two kinds call the same weights.
struct Names {
    query: &'static str,
    key: &'static str,
    value: &'static str,
    attended: &'static str,
    attended_norm: &'static str,
    is_mpnet: bool,
}

impl Names {
    fn positions_before(&self) -> i64 {
        if self.is_mpnet { MPNET_POSITIONS_BEFORE } else { 0 }
    }

    fn of(model_type: &str) -> Result<Names, Unusable> {
        match model_type {
            "bert" => Ok(Names {
                query: "attention.self.query",
                key: "attention.self.key",
                value: "attention.self.value",
                attended: "attention.output.dense",
                attended_norm: "attention.output.LayerNorm",
                is_mpnet: false,
            }),
            "mpnet" => Ok(Names {
                query: "attention.attn.q",
                key: "attention.attn.k",
                value: "attention.attn.v",
                attended: "attention.attn.o",
                attended_norm: "attention.LayerNorm",
                is_mpnet: true,
            }),
            other => Err(wrong(format!("model type `{other}`; known: `bert`, `mpnet`"))),
        }
    }
}

/// A network while it is written.
struct Network<'w> {
    config: Config,
    tensors: Tensors<'w>,
    graph: GraphProto,
}

impl Network<'_> {
    fn write(&mut self, names: &Names, tokens_max: i64) -> Result<(), Unusable> {
        let input = ValueInfoProto { name: Some("input_ids".to_owned()), r#type: None };
        self.graph.input.push(input);
        self.constants(names);
        let tokens = self.operator("Reshape", &["input_ids", "flat"], "tokens", vec![]);
        let length = self.operator("Shape", &[&tokens], "length", vec![]);
        let mut rows = self.embedded(names, &tokens, &length, tokens_max)?;
        let distances = match names.is_mpnet {
            true => Some(self.distances(&length, tokens_max)?),
            false => None,
        };
        for layer in 0..self.config.num_hidden_layers {
            rows = self.layer(names, layer, &rows, distances.as_deref())?;
        }
        self.graph.output.push(ValueInfoProto { name: Some(rows), r#type: None });
        Ok(())
    }

    /// The few numbers that operators are given beside weights.
    fn constants(&mut self, names: &Names) {
        let (width, heads) = (self.config.hidden_size as i64, self.config.num_attention_heads as i64);
        self.integers("flat", &[1], vec![-1]);
        self.integers("first", &[1], vec![names.positions_before()]);
        self.integers("rows", &[1], vec![0]);
        self.integers("of_the_first_text", &[], vec![0]);
        self.integers("heads", &[3], vec![0, heads, width / heads]);
        self.integers("whole", &[2], vec![0, -1]);
        self.integers("corner", &[2], vec![0, 0]);
        self.integers("both", &[2], vec![0, 1]);
        self.graph.initializer.push(TensorProto {
            name: Some("scale".to_owned()),
            data_type: Some(DataType::FLOAT),
            float_data: vec![((width / heads) as f32).sqrt().recip()],
            ..TensorProto::default()
        });
    }

    fn integers(&mut self, name: &str, shape: &[i64], values: Vec<i64>) {
        self.graph.initializer.push(TensorProto {
            name: Some(name.to_owned()),
            dims: shape.to_vec(),
            data_type: Some(DataType::INT64),
            int64_data: values,
            ..TensorProto::default()
        });
    }

    /// A row for each token: what it is, and where it stands.
    fn embedded(
        &mut self,
        names: &Names,
        tokens: &str,
        length: &str,
        tokens_max: i64,
    ) -> Result<String, Unusable> {
        let width = self.config.hidden_size as i64;
        let words = self.weight("embeddings.word_embeddings.weight", &[-1, width])?;
        let positions = self.weight("embeddings.position_embeddings.weight", &[-1, width])?;
        let rows = self.rows(&positions) - names.positions_before();
        if rows < tokens_max {
            return Err(wrong(format!("{rows} positions for {tokens_max} tokens")));
        }
        let words = self.operator("Gather", &[&words, tokens], "words", vec![int("axis", 0)]);
        let last = self.operator("Add", &[length, "first"], "last", vec![]);
        let placed = self.operator("Slice", &[&positions, "first", &last, "rows"], "placed", vec![]);
        let mut sum = self.operator("Add", &[&words, &placed], "words.placed", vec![]);
        if !names.is_mpnet {
            let types = self.weight("embeddings.token_type_embeddings.weight", &[-1, width])?;
            let of = self.operator("Gather", &[&types, "of_the_first_text"], "type", vec![int("axis", 0)]);
            sum = self.operator("Add", &[&sum, &of], "words.typed", vec![]);
        }
        self.norm("embeddings.LayerNorm", &sum)
    }

    fn layer(
        &mut self,
        names: &Names,
        layer: usize,
        rows: &str,
        distances: Option<&str>,
    ) -> Result<String, Unusable> {
        let name = |part: &str| format!("encoder.layer.{layer}.{part}");
        let (width, wide) = (self.config.hidden_size as i64, self.intermediate(layer)?);
        let attended = self.attended(names, layer, rows, distances)?;
        let attended = self.dense(&name(names.attended), &attended, [width, width])?;
        let sum = self.operator("Add", &[rows, &attended], &name("attended.sum"), vec![]);
        let rows = self.norm(&name(names.attended_norm), &sum)?;
        let widened = self.dense(&name("intermediate.dense"), &rows, [wide, width])?;
        let active = self.operator("Gelu", &[&widened], &name("active"), vec![]);
        let narrowed = self.dense(&name("output.dense"), &active, [width, wide])?;
        let sum = self.operator("Add", &[&rows, &narrowed], &name("sum"), vec![]);
        self.norm(&name("output.LayerNorm"), &sum)
    }

    /// What each token takes over from all of them, head by head.
    fn attended(
        &mut self,
        names: &Names,
        layer: usize,
        rows: &str,
        distances: Option<&str>,
    ) -> Result<String, Unusable> {
        let name = |part: &str| format!("encoder.layer.{layer}.{part}");
        let query = self.heads(&name(names.query), rows, &[1, 0, 2])?;
        let key = self.heads(&name(names.key), rows, &[1, 2, 0])?;
        let value = self.heads(&name(names.value), rows, &[1, 0, 2])?;
        let scores = self.operator("MatMul", &[&query, &key], &name("scores"), vec![]);
        let mut scores = self.operator("Mul", &[&scores, "scale"], &name("scores.scaled"), vec![]);
        if let Some(distances) = distances {
            scores = self.operator("Add", &[&scores, distances], &name("scores.placed"), vec![]);
        }
        let shares = self.operator("Softmax", &[&scores], &name("shares"), vec![int("axis", -1)]);
        let taken = self.operator("MatMul", &[&shares, &value], &name("taken"), vec![]);
        let turned =
            self.operator("Transpose", &[&taken], &name("taken.turned"), vec![ints("perm", &[1, 0, 2])]);
        Ok(self.operator("Reshape", &[&turned, "whole"], &name("taken.whole"), vec![]))
    }

    /// Rows through a matrix, divided among the heads.
    fn heads(&mut self, name: &str, rows: &str, order: &[i64]) -> Result<String, Unusable> {
        let width = self.config.hidden_size as i64;
        let rows = self.dense(name, rows, [width, width])?;
        let divided = self.operator("Reshape", &[&rows, "heads"], &format!("{name}.divided"), vec![]);
        Ok(self.operator("Transpose", &[&divided], &format!("{name}.turned"), vec![ints("perm", order)]))
    }

    /// What an MPNet adds to the score of two tokens for how far they are from each other, for every head.
    fn distances(&mut self, length: &str, tokens_max: i64) -> Result<String, Unusable> {
        let heads = self.config.num_attention_heads as i64;
        let table = self.weight("encoder.relative_attention_bias.weight", &[STEPS, heads])?;
        let steps = (0..tokens_max).flat_map(|from| (0..tokens_max).map(move |to| step(to - from)));
        self.integers("steps", &[tokens_max, tokens_max], steps.collect());
        let size = self.operator("Concat", &[length, length], "size", vec![int("axis", 0)]);
        let near = self.operator("Slice", &["steps", "corner", &size, "both"], "steps.near", vec![]);
        let looked_up =
            self.operator("Gather", &[&table, &near], "distances.looked_up", vec![int("axis", 0)]);
        Ok(self.operator("Transpose", &[&looked_up], "distances", vec![ints("perm", &[2, 0, 1])]))
    }

    fn dense(&mut self, name: &str, rows: &str, shape: [i64; 2]) -> Result<String, Unusable> {
        let weight = self.weight(&format!("{name}.weight"), &shape)?;
        let bias = self.weight(&format!("{name}.bias"), &shape[..1])?;
        Ok(self.operator("Gemm", &[rows, &weight, &bias], &format!("{name}.out"), vec![int("transB", 1)]))
    }

    fn norm(&mut self, name: &str, rows: &str) -> Result<String, Unusable> {
        let width = self.config.hidden_size as i64;
        let scale = self.weight(&format!("{name}.weight"), &[width])?;
        let shift = self.weight(&format!("{name}.bias"), &[width])?;
        let attributes = vec![int("axis", -1), float("epsilon", self.config.layer_norm_eps)];
        Ok(self.operator("LayerNormalization", &[rows, &scale, &shift], &format!("{name}.out"), attributes))
    }

    fn intermediate(&self, layer: usize) -> Result<i64, Unusable> {
        let name = format!("encoder.layer.{layer}.intermediate.dense.bias");
        self.tensors
            .find(&name)?
            .shape
            .first()
            .copied()
            .ok_or_else(|| wrong(format!("`{name}` has no length")))
    }

    /// A weight by its name, of that shape; -1 is any length.
    fn weight(&mut self, name: &str, shape: &[i64]) -> Result<String, Unusable> {
        let tensor = self.tensors.find(name)?;
        let fits = |(found, wanted): (&i64, &i64)| *wanted == -1 || found == wanted;
        if tensor.shape.len() != shape.len() || !tensor.shape.iter().zip(shape).all(fits) {
            return Err(wrong(format!("`{name}` is {:?}; the network wants {shape:?}", tensor.shape)));
        }
        self.graph.initializer.push(initializer(name, &tensor));
        Ok(name.to_owned())
    }

    fn rows(&self, weight: &str) -> i64 {
        self.tensors.find(weight).ok().and_then(|tensor| tensor.shape.first().copied()).unwrap_or_default()
    }

    fn operator(
        &mut self,
        kind: &str,
        inputs: &[&str],
        output: &str,
        attribute: Vec<AttributeProto>,
    ) -> String {
        self.graph.node.push(NodeProto {
            name: Some(output.to_owned()),
            op_type: Some(kind.to_owned()),
            input: inputs.iter().map(|input| (*input).to_owned()).collect(),
            output: vec![output.to_owned()],
            attribute,
            ..NodeProto::default()
        });
        output.to_owned()
    }
}

/// Where a weight lies in its file.
fn initializer(name: &str, tensor: &Tensor) -> TensorProto {
    let entry =
        |key: &str, value: String| StringStringEntryProto { key: Some(key.to_owned()), value: Some(value) };
    TensorProto {
        name: Some(name.to_owned()),
        dims: tensor.shape.clone(),
        data_type: Some(match tensor.kind {
            Kind::F32 => DataType::FLOAT,
            Kind::F16 => DataType::FLOAT16,
        }),
        data_location: Some(DataLocation::EXTERNAL),
        external_data: vec![
            entry("location", WEIGHTS.to_owned()),
            entry("offset", tensor.at.start.to_string()),
            entry("length", tensor.at.len().to_string()),
        ],
        ..TensorProto::default()
    }
}

/// In which step of the table it is looked up how far a token is from another: behind it in the first half, before it
/// in the second; near ones have a step each, further ones share more and more of them.
fn step(distance: i64) -> i64 {
    let half = STEPS / 2;
    let (side, far) = (if distance > 0 { half } else { 0 }, distance.abs());
    let single = half / 2;
    if far < single {
        return side + far;
    }
    let share = (far as f64 / single as f64).ln() / (FAR / single as f64).ln();
    side + (single + (share * (half - single) as f64) as i64).min(half - 1)
}

fn int(name: &str, value: i64) -> AttributeProto {
    attribute(name, AttributeType::INT, |attribute| attribute.i = Some(value))
}

fn ints(name: &str, values: &[i64]) -> AttributeProto {
    attribute(name, AttributeType::INTS, |attribute| attribute.ints = values.to_vec())
}

fn float(name: &str, value: f32) -> AttributeProto {
    attribute(name, AttributeType::FLOAT, |attribute| attribute.f = Some(value))
}

fn attribute(name: &str, kind: AttributeType, set: impl FnOnce(&mut AttributeProto)) -> AttributeProto {
    let mut made =
        AttributeProto { name: Some(name.to_owned()), r#type: Some(kind), ..AttributeProto::default() };
    set(&mut made);
    made
}

fn wrong(why: String) -> Unusable {
    Unusable::Weights(why)
}
