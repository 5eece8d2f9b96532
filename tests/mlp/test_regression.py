"""The checks of the regression notebook's exercises refuse wrong answers and take right ones."""

import torch
from answers import answer_tests


def three_layers(*, slope=lambda a: 1 - a * a, last=False, factor=2, swap=False, biases=True):
    """A solution, or one with a mistake."""

    def answer(X, Y, W1, b1, W2, b2, W3, b3):
        A1 = torch.tanh(X @ W1 + b1)
        A2 = torch.tanh(A1 @ W2 + b2)
        P = A2 @ W3 + b3
        P = torch.tanh(P) if last else P
        G = factor * (P - Y) / P.numel()
        gradients = [A2.T @ G, G.sum(0)]
        for A, X_in, W in ((A2, A1, W3), (A1, X, W2)):
            G = (G @ W.T) * slope(A)
            gradients = [X_in.T @ G, G.sum(0) if biases else G.mean(0), *gradients]
        if swap:
            gradients[0], gradients[4] = gradients[4], gradients[0]
        return (P - Y).square().mean(), gradients

    return answer


def order_loss(low=1.0, high=3.0, mean=True):
    def answer(P, Y):
        slope = torch.where(P > Y, low, -high)
        return (slope * (P - Y)).mean(), slope / (P.numel() if mean else len(P))

    return answer


RIGHT = {
    "check_three_layers": [three_layers()],
    "check_order_loss": [
        order_loss(),
        lambda P, Y: (
            ((P - Y).relu() + 3 * (Y - P).relu()).mean(),
            (4 * (P > Y).to(P.dtype) - 3) / P.numel(),
        ),
    ],
}
WRONG = {
    "check_three_layers": [
        three_layers(slope=lambda a: 1.0),
        three_layers(slope=lambda a: a * (1 - a)),
        three_layers(last=True),
        three_layers(factor=1),
        three_layers(swap=True),
        three_layers(biases=False),
        lambda *all_: (three_layers()(*all_)[0], three_layers()(*all_)[1][:4]),
        lambda *all_: (2 * three_layers()(*all_)[0], three_layers()(*all_)[1]),
    ],
    "check_order_loss": [
        order_loss(high=1.0),
        order_loss(low=3.0, high=1.0),
        order_loss(mean=False),
        lambda P, Y: ((P - Y).square().mean(), 2 * (P - Y) / P.numel()),
        lambda P, Y: (order_loss()(P, Y)[0], -order_loss()(P, Y)[1]),
        lambda P, Y: order_loss()(P, Y)[0],
        lambda P, Y: None,
    ],
}


test_wrong_answers_are_refused, test_right_answers_are_taken = answer_tests(WRONG, RIGHT)
