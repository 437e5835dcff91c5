Constant TILE 8;
Network n {
  Layer a {
    Type: GEMM
    Dimensions { M: 30, N 40,K: TILE*5 }
    Dataflow {
      TemporalMap(1,1) N; SpatialMap(1,1) M; TemporalMap(TILE,TILE) K;
      Cluster(TILE, P);
      SpatialMap(1,1) K;
    }
  }
  Layer b {
    Type: DSCONV
    Stride { X: 2, Y: 2 }
    Dimensions { K: 1, C: 30, R: 3, S: 3, Y: 17, X: 19 }
    Dataflow { SpatialMap(1,1) C; TemporalMap(Sz(R),1) Y; TemporalMap(TILE+Sz(S)-1,TILE) X; }
  }
}
