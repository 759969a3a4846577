"""A GRU layer for training, its derivatives written out: in columns, and over the same memory at every step.

torch has no fused layer for a CPU: one operation a gate, with new memory each, costs it more than the products do;
`benchmarks.training` tells. Cell, parameters and, within rounding, numbers are those of `torch.nn.GRU`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import Function, once_differentiable

through_sigmoid = torch.ops.aten.sigmoid_backward.grad_input  # of (slope, sigmoid(x)): the slope of x
through_tanh = torch.ops.aten.tanh_backward.grad_input


def unroll(parameters: Sequence[Tensor], steps: Tensor, rows: int) -> Tensor:
    """The states (rows, hidden, batch) for steps (rows, input, batch), or for one (1, input, batch) at every row.

    `parameters` are torch's, whose order is reset, update, candidate. Here the candidate comes first, so that slopes of
    what inputs are multiplied into, and of what states are, stand in one piece each: see `_Layer.backward`.
    """
    wi, wh, bi, bh = parameters
    hidden = wh.shape[1]
    gates, candidate = slice(2 * hidden), slice(2 * hidden, None)
    bias = torch.cat([bi[candidate], bi[gates] + bh[gates], bh[candidate]])[:, None]
    states: Tensor = _Layer.apply(steps, rows, wi.roll(hidden, 0), wh, bias)
    return states


class _Layer(Function):
    """reset, update = sigmoid(.), candidate = tanh(input's + reset recalled); a state is `update` of the one before."""

    @staticmethod
    def forward(ctx: Any, steps: Tensor, rows: int, wi: Tensor, wh: Tensor, bias: Tensor) -> Tensor:
        batch, hidden = steps.shape[2], wh.shape[1]
        gates = steps.new_empty(rows, 2 * hidden, batch)
        candidates, recalled, states = (steps.new_empty(rows, hidden, batch) for _ in range(3))
        projected, state = steps.new_empty(3 * hidden, batch), steps.new_zeros(hidden, batch)
        for_candidate, for_gates = torch.split(projected, [hidden, 2 * hidden])
        of_gates, of_candidate = torch.split(wh, [2 * hidden, hidden])
        kept = map(torch.unbind, (gates, *torch.split(gates, hidden, 1), candidates, recalled, states))
        for row, (gate, reset, update, candidate, recall, after) in enumerate(zip(*kept, strict=True)):
            if row < len(steps):
                torch.addmm(bias[: 3 * hidden], wi, steps[row], out=projected)
            torch.addmm(for_gates, of_gates, state, out=gate).sigmoid_()
            torch.addmm(bias[3 * hidden :], of_candidate, state, out=recall)
            torch.addcmul(for_candidate, reset, recall, out=candidate).tanh_()
            state = torch.lerp(candidate, state, update, out=after)
        ctx.save_for_backward(steps, wi, wh, gates, candidates, recalled, states)
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_states: Tensor) -> tuple[Tensor | None, ...]:
        steps, wi, wh, gates, candidates, recalled, states = ctx.saved_tensors
        rows, hidden, batch = states.shape
        slopes, total = states.new_zeros(2, 4 * hidden, batch)  # of candidate, reset, update, recalled; over all rows
        of_candidate, of_reset, of_update, of_recalled = slopes.split(hidden)
        of_inputs, of_recurrent = slopes[: 3 * hidden], slopes[hidden:]
        slope, some, start = states.new_zeros(3, hidden, batch)
        back, of_wh = wh.T.contiguous(), torch.zeros_like(wh)
        inputs = _Inputs(steps, wi, ctx.needs_input_grad[0])
        kept = map(torch.unbind, (of_states, *torch.split(gates, hidden, 1), candidates, recalled))
        each = zip(range(rows), (start, *states[:-1].unbind()), *kept, strict=True)
        for row, state, given, reset, update, candidate, recall in reversed(list(each)):
            slope.add_(given)  # of the state after this row; `state` is the one before
            torch.addcmul(slope, slope, update, value=-1, out=some)
            through_tanh(some, candidate, grad_input=of_candidate)
            torch.sub(state, candidate, out=some).mul_(slope)
            through_sigmoid(some, update, grad_input=of_update)
            torch.mul(of_candidate, recall, out=some)
            through_sigmoid(some, reset, grad_input=of_reset)
            torch.mul(of_candidate, reset, out=of_recalled)
            slope.mul_(update).addmm_(back, of_recurrent)
            of_wh.addmm_(of_recurrent, state.T)
            total.add_(slopes)
            if len(steps) > 1:
                inputs.add(row, of_inputs)
        if len(steps) == 1:
            inputs.add(0, total[: 3 * hidden])
        return inputs.of_steps, None, inputs.of_weights, of_wh, total.sum(1, keepdim=True)


class _Inputs:
    """Slopes of the weights of inputs, and of the inputs if they are asked for."""

    def __init__(self, steps: Tensor, weights: Tensor, asked: bool) -> None:
        self.steps, self.back = steps.unbind(), weights.T.contiguous()
        self.of_weights = torch.zeros_like(weights)
        self.of_steps = torch.empty_like(steps) if asked else None

    def add(self, row: int, slopes: Tensor) -> None:
        """A row's, given those of its products."""
        self.of_weights.addmm_(slopes, self.steps[row].T)
        if self.of_steps is not None:
            torch.mm(self.back, slopes, out=self.of_steps[row])
