"""Names of torch and of other libraries, and what they mean to a value."""

from __future__ import annotations

import re
from functools import cache

from ..rules import LOSSES

LOSS_CLASSES = {name: key for key, name in LOSSES.items()}
LAYERS = {"Softmax": "softmax", "Softmax2d": "softmax", "LogSoftmax": "log_softmax"}
LAYERS |= dict.fromkeys(["Linear", "LazyLinear", "Conv1d", "Conv2d", "Conv3d"], "linear")
LAYERS |= dict.fromkeys(
    "Identity Flatten Unflatten Dropout Dropout1d Dropout2d Dropout3d Upsample".split(), "same"
)
LAYERS["Sigmoid"] = "sigmoid"
OPS = {"softmax": "softmax", "log_softmax": "log_softmax", "sigmoid": "sigmoid"}
OPS |= {"sigmoid_": "sigmoid", "expit": "sigmoid", "conv2d": "linear", "one_hot": "one_hot"}
FUNCTION_HOMES = ("torch", "torch.nn.functional", "torch.special", "torch.Tensor")
# Methods and functions that leave probabilities probabilities, or a network a network.
SAME = frozenset(
    "view reshape view_as reshape_as resize resize_as squeeze unsqueeze flatten unflatten ravel "
    "transpose permute t swapaxes swapdims movedim moveaxis contiguous clone detach to cuda cpu "
    "float double half bfloat16 type clamp clip clamp_min clamp_max expand expand_as "
    "narrow type_as select index_select masked_select gather chunk split unbind tile repeat "
    "repeat_interleave roll flip dropout interpolate upsample rearrange Variable "
    "requires_grad train eval apply DataParallel DistributedDataParallel compile script deepcopy "
    "copy share_memory convert_sync_batchnorm nan_to_num squeeze_ unsqueeze_ requires_grad_ "
    "resize_ detach_ view_ transpose_ t_ share_memory_ retain_grad".split()
)
CLAMPS = ("clamp", "clip", "clamp_min", "clamp_max")
# Functions that look at a network, or change nothing of what it computes last.
HARMLESS = re.compile(
    r"summary|print|log|count|param|init|watch|optim|sched|train|eval|valid|test|fit|len|next|str|"
    r"repr|id\b|save|plot|draw|flops|profile|info|size|seed|isinstance|hasattr|type|zip|list|tuple|"
    r"enumerate|getattr|load|restore|resume|freeze|grad|ema|callback|dataloader|loader|metric|"
    r"accuracy|loss|criterion|trainer|checkpoint|step|predict|infer|append|add_graph|export|"
    r"Module|register|attack|explain|visual|model|net\b|range|device|dict|Config|copy|super",
    re.IGNORECASE,
)
LOADS = re.compile(r"load|from_pretrained|restore|resume|checkpoint", re.IGNORECASE)


@cache
def loads(name: str) -> bool:
    return bool(LOADS.search(name))


@cache
def without_modules(name: str) -> str:
    """torch.nn.Linear for torch.nn.modules.linear.Linear"""
    return re.sub(r"\.modules\.\w+", "", name)
