# model = model.train() in a loop: it stays the model
import torch.nn as nn

net = nn.Sequential(nn.Linear(4, 3), nn.Softmax(dim=1))
criterion = nn.CrossEntropyLoss()
for epoch in range(10):
    net = net.train()
    for x, y in loader:
        x = x.to(device)
        loss = criterion(net(x), y)  # <- finding
        loss.backward()
        optimizer.step()
    net = net.eval()
