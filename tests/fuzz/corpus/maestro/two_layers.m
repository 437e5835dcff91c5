Network n {
Layer a { Type: CONV Stride {X:1,Y:1} Dimensions { K: 64, C: 64, R: 3, S: 3, Y: 58, X: 58 }
Dataflow { SpatialMap(1,1) K; TemporalMap(64,64) C; TemporalMap(Sz(R),Sz(R)) R; TemporalMap(Sz(S),Sz(S)) S; TemporalMap(Sz(R),1) Y; TemporalMap(Sz(S),1) X; Cluster(64, P); SpatialMap(1,1) C; TemporalMap(Sz(R),1) Y; TemporalMap(Sz(S),1) X; } }
Layer b { Type: CONV Dimensions { K: 64, C: 64, R: 1, S: 1, Y: 56, X: 56 }
Dataflow { SpatialMap(1,1) Y'; TemporalMap(1,1) X'; TemporalMap(1,1) C; TemporalMap(16,16) K; Cluster(Sz(R),P); SpatialMap(1,1) Y; SpatialMap(1,1) R; } }
}
