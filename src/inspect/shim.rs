pub type Reader = ();
pub type Settings = ();
pub type Found = ShimFound;
#[derive(Default, Debug, Clone)]
pub struct ShimFound;
