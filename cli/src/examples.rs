//! What people do with each command, for its help.

/// Lines of the shell for every command by its name.
pub(crate) const OF_COMMANDS: [(&str, &str); 14] = [
    (
        "evaluate",
        "  wgpu-metric-learning evaluate
  wgpu-metric-learning evaluate --no-check
  wgpu-metric-learning evaluate --objective NtXent --adapters 2
  wgpu-metric-learning evaluate --objective Triplet --embeddings x.npy --labels y.npy
  wgpu-metric-learning evaluate --objective Triplet --embeddings x.npy --labels y.npy --weights w.npy
  wgpu-metric-learning evaluate --objective '{\"loss\": \"NtXent\", \"temperature\": 0.1}' --check",
    ),
    (
        "measure",
        "  wgpu-metric-learning measure --embeddings x.npy --labels y.npy --per-class
  wgpu-metric-learning measure --embeddings birds.csv#-species --labels birds.csv#species
  wgpu-metric-learning measure --distance Cosine --precision-at 1,5 --ndcg-at 10 --bootstrap 1000
  wgpu-metric-learning measure --report measures.html --plots plots",
    ),
    (
        "train",
        "  wgpu-metric-learning train --normalize --report report.html
  wgpu-metric-learning train --embeddings x.npy --labels y.npy --out head.safetensors
  wgpu-metric-learning train --objective NtXent --schedule cosine --warm-up 20 --patience 3",
    ),
    (
        "apply",
        "  wgpu-metric-learning apply --head head.safetensors --embeddings x.npy --out better.npy",
    ),
    (
        "search",
        "  wgpu-metric-learning search --embeddings x.npy --queries q.npy --k 3
  wgpu-metric-learning search --embeddings x.npy --out-indices i.npy --out-distances d.npy",
    ),
    (
        "verify",
        "  wgpu-metric-learning verify --embeddings x.npy --labels y.npy --tpr-at-fpr 0.1,0.01
  wgpu-metric-learning verify --embeddings left.npy --references right.npy --same s.npy
  wgpu-metric-learning verify --embeddings x.npy --pairs p.npy --same s.npy",
    ),
    (
        "convert",
        "  wgpu-metric-learning convert x.npz x.safetensors
  wgpu-metric-learning convert birds.csv#-species birds.npy
  wgpu-metric-learning convert embeddings.parquet#vector x.npy
  wgpu-metric-learning convert - - < x.npz > x.npy",
    ),
    (
        "validate",
        "  wgpu-metric-learning validate --quick
  wgpu-metric-learning validate --quick --only Triplet",
    ),
    (
        "bench",
        "  wgpu-metric-learning bench --n 512,1024,2048 --d 128 --stages
  wgpu-metric-learning bench --backend cpu --report times.html
  wgpu-metric-learning bench --predict rx-6900-xt --n 8192",
    ),
    (
        "plan",
        "  wgpu-metric-learning plan --objective Triplet
  wgpu-metric-learning plan --objective CoSent --mode scored-pair-indices --m 100000 --json",
    ),
    ("adapters", "  wgpu-metric-learning adapters --json"),
    ("shaders", "  wgpu-metric-learning shaders --out kernels --as wgsl"),
    (
        "completions",
        "  wgpu-metric-learning completions bash > ~/.local/share/bash-completion/completions/wgpu-metric-learning",
    ),
    ("man", "  wgpu-metric-learning man --out ~/.local/share/man/man1"),
];
