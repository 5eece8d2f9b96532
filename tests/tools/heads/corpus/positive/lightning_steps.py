# a LightningModule: validation and test apply softmax first, training does not
import pytorch_lightning as pl
import torch
from torch import nn


class Classifier(pl.LightningModule):
    def __init__(self, encoder, num_classes):
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(768, num_classes)
        self.criterion = nn.CrossEntropyLoss()

    def forward(self, x):
        return self.head(self.encoder(x))

    def training_step(self, batch, batch_idx):
        x, y = batch
        return self.criterion(self(x), y)

    def validation_step(self, batch, batch_idx):
        x, y = batch
        y_hat = self(x)
        y_hat = torch.softmax(y_hat, dim=1)
        loss = self.criterion(y_hat, y)  # <- finding
        self.log("val_loss", loss)
        return loss
