# a network that derives from a class that cannot be read: perhaps
import torch.nn as nn

from .missing import Base


class Net(Base):
    def forward(self, x):
        return self.fc(x).softmax(1)


loss = nn.CrossEntropyLoss()(Net()(x), y)  # <- finding
