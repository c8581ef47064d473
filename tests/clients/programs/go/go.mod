module try

go 1.21
