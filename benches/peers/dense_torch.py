"""The losses as a careful PyTorch user would write them: N x N matrices, masks in the place of loops, no wait for the
device on the way to the loss; autograd gives the gradients.

Rows have norm 1 and are not normalised again. Every function returns the loss as a tensor of no dimension.
"""

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

INFINITY = float("inf")


def pair_masks(labels: Tensor) -> tuple[Tensor, Tensor]:
    """Which (i, j) are positive and which negative pairs; (i, i) is neither."""
    same = labels[:, None] == labels[None, :]
    itself = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    return same & ~itself, ~same


def count(mask: Tensor) -> Tensor:
    """Number of true entries as a divisor: never 0."""
    return torch.count_nonzero(mask).clamp_min(1)


def mean_nonzero(terms: Tensor) -> Tensor:
    return terms.sum() / count(terms > 0)


def softplus(z: Tensor) -> Tensor:
    """log(1 + exp(z)) without overflow, and without the linear cut-over of torch's own."""
    return torch.logaddexp(z, torch.zeros((), dtype=z.dtype, device=z.device))


def masked_logsumexp(values: Tensor, mask: Tensor) -> Tensor:
    """Of each row over the mask; a row without any entry gives a finite number and no gradient."""
    masked = torch.where(mask, values, -INFINITY)
    return torch.where(mask.any(dim=1, keepdim=True), masked, 0.0).logsumexp(dim=1)


def contrastive(x: Tensor, labels: Tensor, margin: float = 1.0) -> Tensor:
    """Positives d, negatives max(0, margin - d); the mean of the non-zero ones of each, added."""
    d = torch.cdist(x, x)
    positive, negative = pair_masks(labels)
    return mean_nonzero(torch.where(positive, d, 0.0)) + mean_nonzero(torch.where(negative, margin - d, 0.0).relu())


def triplet_hard(x: Tensor, labels: Tensor, margin: float = 0.2) -> Tensor:
    """Per anchor the farthest positive and the nearest negative."""
    d = torch.cdist(x, x)
    positive, negative = pair_masks(labels)
    farthest = torch.where(positive, d.detach(), -INFINITY).argmax(dim=1, keepdim=True)
    nearest = torch.where(negative, d.detach(), INFINITY).argmin(dim=1, keepdim=True)
    exists = positive.any(dim=1) & negative.any(dim=1)
    terms = (d.gather(1, farthest) - d.gather(1, nearest) + margin).relu()[:, 0]
    return mean_nonzero(torch.where(exists, terms, 0.0))


def triplet_chunk(d_ap: Tensor, d_an: Tensor, margin: float) -> tuple[Tensor, Tensor]:
    """Sum and number of the non-zero terms of (anchor, positive, negative).

    Absent positives are -inf and absent negatives +inf, hence their terms 0.
    """
    terms = (d_ap[:, :, None] + margin - d_an[:, None, :]).relu_()
    return terms.sum(), torch.count_nonzero(terms)


def triplet_all(
    x: Tensor,
    labels: Tensor,
    margin: float = 0.2,
    max_positives: int | None = None,
    chunk_elements: int | None = 2**21,
) -> Tensor:
    """Every triplet, as (chunk of anchors) x (positives, packed) x (negatives).

    A chunk holds about `chunk_elements` terms and is computed again in the backward pass, so that memory stays bounded
    (and in a processor's cache; a GPU is faster with larger ones). None is one chunk; nothing of a single chunk is computed again.
    `max_positives`, where it is known, saves a wait for the device.
    """
    d = torch.cdist(x, x)
    positive, negative = pair_masks(labels)
    if max_positives is None:
        max_positives = max(1, int(positive.sum(dim=1).max()))
    packed = positive.to(d.dtype).topk(max_positives, dim=1).indices
    d_ap = torch.where(positive.gather(1, packed), d.gather(1, packed), -INFINITY)
    d_an = torch.where(negative, d, INFINITY)
    rows = len(x) if chunk_elements is None else max(1, chunk_elements // (max_positives * len(x)))
    if rows >= len(x):
        total, nonzero = triplet_chunk(d_ap, d_an, margin)
        return total / nonzero.clamp_min(1)
    chunks = [
        checkpoint(triplet_chunk, d_ap[start : start + rows], d_an[start : start + rows], margin, use_reentrant=False)
        for start in range(0, len(x), rows)
    ]
    totals, nonzeros = zip(*chunks)
    return sum(totals) / sum(nonzeros).clamp_min(1)


def lifted(x: Tensor, labels: Tensor, margin: float = 1.0) -> Tensor:
    """The smooth form: the mean of max(0, J)^2 / 2 over the unordered positive pairs."""
    d = torch.cdist(x, x)
    positive, negative = pair_masks(labels)
    pairs = positive.triu(diagonal=1)
    row = masked_logsumexp(margin - d, negative)
    hinge = (torch.logaddexp(row[:, None], row[None, :]) + d).relu()
    has_negative = negative.any(dim=1, keepdim=True)
    return 0.5 * torch.where(pairs & has_negative, hinge, 0.0).square().sum() / count(pairs)


def multi_margin(x: Tensor, labels: Tensor, prototypes: Tensor, margin: float = 1.0) -> Tensor:
    """Scores are the negated distances to the prototypes; a row's hinges are divided by the number of classes."""
    scores = -torch.cdist(x, prototypes)
    hinge = (scores - scores.gather(1, labels[:, None]) + margin).relu()
    is_own = labels[:, None] == torch.arange(len(prototypes), device=labels.device)[None, :]
    return torch.where(is_own, 0.0, hinge).sum(dim=1).mean() / len(prototypes)


def margin(x: Tensor, labels: Tensor, beta: float = 1.2, alpha: float = 0.2) -> Tensor:
    """Over all pairs; the mean of the non-zero terms, of positives and negatives together."""
    d = torch.cdist(x, x)
    positive, negative = pair_masks(labels)
    hinge = torch.where(positive, d - beta + alpha, beta - d + alpha).relu()
    return mean_nonzero(torch.where(positive | negative, hinge, 0.0))


def ntxent(x: Tensor, labels: Tensor, temperature: float = 0.1) -> Tensor:
    """-log(e^lip / (e^lip + sum_n e^lin)), which is softplus(logsumexp_n(lin) - lip): its mean over the positive pairs."""
    logits = x @ x.T / temperature
    positive, negative = pair_masks(labels)
    terms = softplus(masked_logsumexp(logits, negative)[:, None] - logits)
    has_negative = negative.any(dim=1, keepdim=True)
    return torch.where(positive & has_negative, terms, 0.0).sum() / count(positive)


def sig_lip(x: Tensor, labels: Tensor, scale: float = 10.0, bias: float = -10.0) -> Tensor:
    """log(1 + e^-l) of positive pairs and log(1 + e^l) of negative ones, added up over the anchors, as OpenCLIP's SigLipLoss."""
    logits = scale * (x @ x.T) + bias
    positive, negative = pair_masks(labels)
    terms = torch.where(positive, softplus(-logits), torch.where(negative, softplus(logits), 0.0))
    return terms.sum() / count((positive | negative).any(dim=1))


def supcon(x: Tensor, labels: Tensor, temperature: float = 0.1) -> Tensor:
    """The mean over the anchors with positives."""
    logits = x @ x.T / temperature
    positive, negative = pair_masks(labels)
    positives = positive.sum(dim=1)
    mean_positive = torch.where(positive, logits, 0.0).sum(dim=1) / positives.clamp_min(1)
    terms = masked_logsumexp(logits, positive | negative) - mean_positive
    return torch.where(positives > 0, terms, 0.0).sum() / count(positives > 0)
