"""More losses as a careful PyTorch user would write them; continues dense_torch.py, with rows of norm 1 and autograd.

Those of classes have a prototype, or several, a class in order; two towers are the rows twice.
"""

import math

import torch
from torch import Tensor

from dense_torch import INFINITY, count, masked_logsumexp, pair_masks, softplus


def mean_where(terms: Tensor, exists: Tensor) -> Tensor:
    return torch.where(exists, terms, 0.0).sum() / count(exists)


def log_one_plus_sum(values: Tensor, mask: Tensor) -> Tensor:
    """log(1 + sum of exp) of each row over the mask; 0 where that is empty."""
    return torch.where(mask.any(dim=1), softplus(masked_logsumexp(values, mask)), 0.0)


def multi_similarity(x: Tensor, labels: Tensor, alpha: float = 2.0, beta: float = 50.0, base: float = 0.5) -> Tensor:
    s = x @ x.T
    positive, negative = pair_masks(labels)
    near = log_one_plus_sum(alpha * (1 - base - s), positive) / alpha
    far = log_one_plus_sum(beta * (s - 1 + base), negative) / beta
    return mean_where(near + far, (positive | negative).any(dim=1))


def circle(x: Tensor, labels: Tensor, margin: float = 0.4, gamma: float = 80.0) -> Tensor:
    """The paces are constants for the gradient."""
    s = x @ x.T
    positive, negative = pair_masks(labels)
    fixed = s.detach()
    near = -gamma * (1 + margin - fixed).relu() * (s - 1 + margin)
    far = gamma * (fixed + margin).relu() * (s - margin)
    terms = softplus(masked_logsumexp(near, positive) + masked_logsumexp(far, negative))
    return mean_where(terms, positive.any(dim=1) & negative.any(dim=1))


def generalized_lifted(x: Tensor, labels: Tensor, margin: float = 1.0) -> Tensor:
    d = torch.cdist(x, x)
    positive, negative = pair_masks(labels)
    terms = (masked_logsumexp(d, positive) + masked_logsumexp(margin - d, negative)).relu()
    return mean_where(terms, positive.any(dim=1) & negative.any(dim=1))


def nca(x: Tensor, labels: Tensor, temperature: float = 1.0) -> Tensor:
    """By squared distances, which of unit rows are 2 - 2 cosine."""
    logits = -(2 - 2 * (x @ x.T)) / temperature
    positive, negative = pair_masks(labels)
    terms = softplus(masked_logsumexp(logits, negative) - masked_logsumexp(logits, positive))
    return mean_where(torch.where(negative.any(dim=1), terms, 0.0), positive.any(dim=1))


def smooth_ap(x: Tensor, labels: Tensor, temperature: float = 0.01) -> Tensor:
    """Anchor x positive, packed, x all others: the mean of (negatives before a positive) / (its rank)."""
    d = 1 - x @ x.T
    positive, negative = pair_masks(labels)
    most = max(1, int(positive.sum(dim=1).max()))
    packed = positive.to(d.dtype).topk(most, dim=1).indices
    exists = positive.gather(1, packed)
    before = torch.sigmoid((d.gather(1, packed)[:, :, None] - d[:, None, :]) / temperature)
    itself = torch.zeros_like(before, dtype=torch.bool).scatter_(2, packed[:, :, None], True)
    negatives = torch.where(negative[:, None, :], before, 0.0).sum(dim=2)
    positives = torch.where(positive[:, None, :] & ~itself, before, 0.0).sum(dim=2)
    shares = torch.where(exists, negatives / (1 + positives + negatives), 0.0)
    return mean_where(shares.sum(dim=1) / exists.sum(dim=1).clamp_min(1), positive.any(dim=1))


def fast_ap(x: Tensor, labels: Tensor, bins: int = 10) -> Tensor:
    """By cosine distances, whose histogram has bins + 1 centres from 0 to 2."""
    d = (1 - x @ x.T).clamp(0, 2)
    positive, negative = pair_masks(labels)
    width = 2 / bins
    centres = width * torch.arange(bins + 1, dtype=d.dtype, device=d.device)
    pulse = (1 - (d[:, :, None] - centres).abs() / width).relu()
    positives = torch.einsum("ijl,ij->il", pulse, positive.to(d.dtype))
    negatives = torch.einsum("ijl,ij->il", pulse, negative.to(d.dtype)).cumsum(dim=1)
    together = negatives + positives.cumsum(dim=1)
    shares = torch.where(positives > 0, positives * negatives / together.clamp_min(1e-30), 0.0)
    return mean_where(shares.sum(dim=1) / positive.sum(dim=1).clamp_min(1), positive.any(dim=1))


def clip(x: Tensor, labels: Tensor, scale: float = 14.285714) -> Tensor:
    """The rows against themselves as a second tower: every row is its own positive too."""
    logits = scale * (x @ x.T)
    positive = labels[:, None] == labels[None, :]

    def one_way(logits: Tensor) -> Tensor:
        against = softplus(masked_logsumexp(logits, ~positive)[:, None] - logits)
        return torch.where(positive & (~positive).any(dim=1, keepdim=True), against, 0.0).sum()

    return (one_way(logits) + one_way(logits.T)) / (2 * count(positive))


def co_sent(x: Tensor, labels: Tensor, scale: float = 20.0) -> Tensor:
    """Row r with the next one, which stays as it is, by the marks 0 to 5 that `bench` gives them."""
    s = scale * (x * x.detach().roll(-1, dims=0)).sum(dim=1)
    targets = labels % 6
    compared = targets[:, None] < targets[None, :]
    differences = torch.where(compared, s[:, None] - s[None, :], -INFINITY)
    zero = torch.zeros(1, dtype=s.dtype, device=s.device)
    return torch.cat([zero, differences.reshape(-1)]).logsumexp(dim=0)


def cross_entropy(t: Tensor, labels: Tensor, scale: float) -> Tensor:
    return torch.nn.functional.cross_entropy(scale * t, labels)


def is_own(t: Tensor, labels: Tensor) -> Tensor:
    return labels[:, None] == torch.arange(t.shape[1], device=labels.device)[None, :]


def normalized_softmax(x: Tensor, labels: Tensor, prototypes: Tensor, scale: float = 20.0) -> Tensor:
    return cross_entropy(x @ prototypes.T, labels, scale)


def cos_face(x: Tensor, labels: Tensor, prototypes: Tensor, margin: float = 0.35, scale: float = 64.0) -> Tensor:
    t = x @ prototypes.T
    return cross_entropy(t - margin * is_own(t, labels), labels, scale)


def arc_face(x: Tensor, labels: Tensor, prototypes: Tensor, margin: float = 0.5, scale: float = 64.0) -> Tensor:
    t = x @ prototypes.T
    own = t.gather(1, labels[:, None])
    turned = own * math.cos(margin) - (1 - own.square()).clamp_min(1e-12).sqrt() * math.sin(margin)
    turned = torch.where(own >= -math.cos(margin), turned, own - margin * math.sin(margin))
    return cross_entropy(torch.where(is_own(t, labels), turned, t), labels, scale)


def soft_triple(
    x: Tensor, labels: Tensor, prototypes: Tensor, gamma: float = 0.1, margin: float = 0.01, scale: float = 20.0, centers: int = 10
) -> Tensor:
    s = (x @ prototypes.T).reshape(len(x), -1, centers)
    pooled = (torch.softmax(s / gamma, dim=2) * s).sum(dim=2)
    return cross_entropy(pooled - margin * is_own(pooled, labels), labels, scale)


def proxy_anchor(x: Tensor, labels: Tensor, prototypes: Tensor, alpha: float = 32.0, margin: float = 0.1) -> Tensor:
    s = prototypes @ x.T
    own = is_own(s.T, labels).T
    near = log_one_plus_sum(-alpha * (s - margin), own)
    far = log_one_plus_sum(alpha * (s + margin), ~own)
    return near.sum() / count(own.any(dim=1)) + far.mean()
