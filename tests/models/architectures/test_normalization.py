"""The fused batch normalisation computes what Keras's own layer does."""

import keras
import numpy as np
import pytest

from fer_core.models.architectures.normalization import BatchNormalization


@pytest.fixture
def layers():
    x = np.random.default_rng(0).normal(3, 2, (16, 5, 5, 4)).astype(np.float32)
    pair = [cls(momentum=0.9, name="norm") for cls in (BatchNormalization, keras.layers.BatchNormalization)]
    for layer in pair:
        layer.build(x.shape)
        layer.gamma.assign([1.0, 2.0, 0.5, 3.0])
        layer.beta.assign([0.0, 1.0, -1.0, 2.0])
    return *pair, x


def test_training_gives_the_same_outputs_and_statistics(layers):
    fused, plain, x = layers
    np.testing.assert_allclose(fused(x, training=True), plain(x, training=True), atol=1e-4)
    np.testing.assert_allclose(fused.moving_mean, plain.moving_mean, atol=1e-5)
    # TensorFlow's moving variance is the unbiased one: larger by n / (n - 1), here 400 / 399.
    np.testing.assert_allclose(fused.moving_variance, plain.moving_variance, rtol=5e-3)


def test_inference_gives_the_same_outputs(layers):
    fused, plain, x = layers
    plain(x, training=True)
    fused.set_weights(plain.get_weights())
    np.testing.assert_allclose(fused(x, training=False), plain(x, training=False), atol=1e-6)


def test_a_frozen_layer_keeps_its_statistics(layers):
    fused, _, x = layers
    fused.trainable = False
    fused(x, training=True)
    np.testing.assert_array_equal(fused.moving_mean, 0)


def test_mixed_precision_keeps_its_parameters_in_float32(layers):
    *_, x = layers
    layer = BatchNormalization(dtype="mixed_bfloat16")
    outputs = layer(x, training=True)
    assert keras.backend.standardize_dtype(outputs.dtype) == "bfloat16"
    assert {variable.dtype for variable in layer.weights} == {"float32"}


def test_gradients_are_the_same(layers):
    tf = pytest.importorskip("tensorflow")
    fused, plain, x = layers
    grads = []
    for layer in (fused, plain):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.sin(layer(tf.constant(x), training=True)))
        grads.append(tape.gradient(loss, [layer.gamma.value, layer.beta.value]))
    for a, b in zip(*grads, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-2, rtol=1e-3)
