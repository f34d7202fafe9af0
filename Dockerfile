# Everything that is documented: maps, web page, training. CPU by default; for NVIDIA GPUs:
#   docker compose build --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cu130
FROM python:3.12-slim

ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
# The user inside; give your own numbers (id -u, id -g) so that what it writes is yours.
ARG UID=1000
ARG GID=1000

# A compiler is what torch.compile needs.
RUN apt-get update \
 && apt-get install -y --no-install-recommends g++ \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid "$GID" mapper \
 && useradd --uid "$UID" --gid "$GID" --create-home mapper \
 && mkdir -p /workspace/Mapperatorinator /workspace/datasets /home/mapper/.cache \
 && chown -R mapper:mapper /workspace /home/mapper

WORKDIR /workspace/Mapperatorinator
COPY requirements.txt ./
RUN pip install --no-cache-dir --index-url "$TORCH_INDEX" "$(grep '^torch==' requirements.txt)" \
 && pip install --no-cache-dir -r requirements.txt
COPY --chown=mapper:mapper . .
RUN pip install --no-cache-dir --no-deps -e .

USER mapper
ENV PYTHONUNBUFFERED=1
# tensorboard --logdir logs --bind_all
EXPOSE 6006
CMD ["bash"]
